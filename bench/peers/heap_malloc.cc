// bench/heap's rival in a process of its own: whatever malloc the dynamic linker gives it.
//
//   heap_malloc CASE LIVE PAIRS     prints the nanoseconds of one allocation and free
#include <cstdio>
#include <cstdlib>

#include "bench/support/heap_workloads.h"

namespace {

struct Malloc {
  static void* allocate(std::size_t bytes) { return std::malloc(bytes); }
  static void release(void* block) { std::free(block); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: heap_malloc CASE LIVE PAIRS\n", stderr);
    return 2;
  }
  const revenant::bench::HeapScale scale{.live = std::strtoul(argv[2], nullptr, 10),
                                         .pairs = std::strtoul(argv[3], nullptr, 10)};
  const double nanoseconds =
      revenant::bench::with_workload<Malloc>(argv[1], scale, [](auto workload) {
        workload->round();  // warms the caches and reaches the steady state
        return workload->round();
      });
  std::printf("%.3f\n", nanoseconds);
}
