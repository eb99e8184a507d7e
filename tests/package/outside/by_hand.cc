// Built with what pkg-config says, without CMake.
#include <revenant/revenant.h>

REVENANT_PERSISTENT int starts = 40;

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] {
    revenant::print("{}\n", ++starts);
    return starts;
  });
}
