#include <revenant/revenant.h>

#include <cstdlib>

void* operator new(std::size_t bytes) { return std::malloc(bytes); }

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] {});
}
