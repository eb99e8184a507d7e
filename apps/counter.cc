// Counts, a line a second. Killed at any instant and started again, it goes on.
#include <revenant/revenant.h>

#include <vector>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] {
    std::vector<int> seen;
    for (int n = 0;; ++n) {
      seen.push_back(n);
      revenant::print("{} of {}\n", n, seen.size());
      revenant::this_thread::sleep_for(1s);
    }
  });
}
