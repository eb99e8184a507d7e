// bench/heap: an allocation and a free, against glibc, Boost.Interprocess and mimalloc.
//
// The persistent heap runs in the real space, with faults and write tracking, reached through the
// same malloc that programs call; no snapshots are taken. glibc is its own malloc in this process;
// Interprocess is rbtree_best_fit in a mapped file; mimalloc replaces malloc in a process of its
// own. All sides run in turns, and the medians of the rounds are compared.
#include "objects/heap.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/interprocess/managed_mapped_file.hpp>

#include "bench/support/heap_workloads.h"
#include "bench/support/must.h"
#include "bench/support/report.h"
#include "objects/allocation_domain.h"
#include "objects/world.h"
#include "tests/support/temporary_directory.h"
#include "vm/memory_manager.h"

extern "C" {
void* __real_malloc(std::size_t bytes);
void __real_free(void* block);
}

namespace revenant::bench {
namespace {

namespace ipc = boost::interprocess;

struct Ours {
  static void* allocate(std::size_t bytes) { return ::malloc(bytes); }
  static void release(void* block) { ::free(block); }
};

struct Glibc {
  static void* allocate(std::size_t bytes) { return __real_malloc(bytes); }
  static void release(void* block) { __real_free(block); }
};

struct Interprocess {
  static inline std::unique_ptr<ipc::managed_mapped_file> file;
  static void* allocate(std::size_t bytes) { return file->allocate(bytes); }
  static void release(void* block) { file->deallocate(block); }
};

// A new store: no page has an image.
struct NoImages final : vm::PageSource {
  void fetch(base::PageRun run, base::Epoch, std::byte*, Fetched* fetched) noexcept override {
    std::fill_n(fetched, run.count.value, Fetched{.outcome = Outcome::kAbsent});
  }
};

struct SpacePages final : objects::PageService {
  explicit SpacePages(vm::MemoryManager& memory) : memory_(memory) {}
  void release(base::PageRun run) noexcept override { memory_.release(run); }
  vm::MemoryManager& memory_;
};

// The space, and a heap in it whose worker 0 is this thread.
class HeapInSpace {
 public:
  HeapInSpace() {
    must(memory_.open({}, images_));
    must(memory_.add_segment("heap", vm::kHeapRun, tickets_));
    must(memory_.add_segment("heap metadata", vm::kHeapMetadataRun, stored_));
    must(memory_.add_segment("world", vm::kWorldRun, stored_));
    auto adopted = memory_.adopt_thread();
    must(adopted);
    thread_ = std::make_unique<vm::AdoptedThread>(std::move(*adopted));
    auto& world = objects::World::create({.stack_canary = 1, .pointer_guard = 2}, base::Epoch{1});
    heap_ = std::make_unique<objects::Heap>(world, pages_, 1);
    heap_->bind_worker(0);
  }
  ~HeapInSpace() { objects::Heap::unbind_worker(); }

 private:
  NoImages images_;
  vm::StoredRule stored_;
  objects::HeapTickets tickets_;
  vm::MemoryManager memory_;
  SpacePages pages_{memory_};
  std::unique_ptr<vm::AdoptedThread> thread_;
  std::unique_ptr<objects::Heap> heap_;
};

// A file of Interprocess's for as long as the program runs.
class MappedFile {
 public:
  MappedFile() {
    constexpr std::size_t kBytes = std::size_t{1} << 30;
    Interprocess::file = std::make_unique<ipc::managed_mapped_file>(
        ipc::create_only, (directory_ / "heap").c_str(), kBytes);
  }
  ~MappedFile() { Interprocess::file.reset(); }

 private:
  const testing::TemporaryDirectory directory_;
};

// One round of mimalloc, or nothing where Debian's library is not installed.
double mimalloc_round(std::string_view case_name, HeapScale scale) {
  constexpr const char* kLibrary = "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2";
  const auto peer =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "peers" / "heap_malloc";
  if (::access(kLibrary, R_OK) != 0 || ::access(peer.c_str(), X_OK) != 0) return 0;
  const std::string command = std::string("LD_PRELOAD=") + kLibrary + " '" + peer.string() + "' " +
                              std::string(case_name) + " " + std::to_string(scale.live) + " " +
                              std::to_string(scale.pairs);
  std::FILE* child = ::popen(command.c_str(), "r");
  double nanoseconds = 0;
  if (child == nullptr || std::fscanf(child, "%lf", &nanoseconds) != 1) nanoseconds = 0;
  if (child != nullptr) ::pclose(child);
  return nanoseconds;
}

struct Side {
  std::string_view name;  // empty: ours
  std::function<double()> round;
  std::vector<double> results;

  [[nodiscard]] double median() const { return bench::median(results); }
};

template <class Peer>
std::function<double()> rounds_of(std::string_view case_name, HeapScale scale) {
  return with_workload<Peer>(case_name, scale, [](auto workload) -> std::function<double()> {
    return [workload] { return workload->round(); };
  });
}

void run_case(const Report& report, std::string_view case_name) {
  const HeapScale scale = heap_scale(case_name, report.smoke());
  std::vector<Side> sides(4);
  objects::set_allocation_domain(objects::AllocationDomain::kPersistent);
  sides[0].round = rounds_of<Ours>(case_name, scale);
  objects::set_allocation_domain(objects::AllocationDomain::kVolatile);
  sides[1] = {"glibc", rounds_of<Glibc>(case_name, scale), {}};
  sides[2] = {"interprocess", rounds_of<Interprocess>(case_name, scale), {}};
  sides[3] = {"mimalloc", [&] { return mimalloc_round(case_name, scale); }, {}};
  const int rounds = report.smoke() ? 1 : 9;
  for (int round = -1; round < rounds; ++round) {  // the first one warms up
    for (Side& side : sides) {
      objects::set_allocation_domain(side.name.empty() ? objects::AllocationDomain::kPersistent
                                                       : objects::AllocationDomain::kVolatile);
      const double nanoseconds = side.round();
      objects::set_allocation_domain(objects::AllocationDomain::kVolatile);
      if (round >= 0) side.results.push_back(nanoseconds);
    }
  }
  const double ours = sides[0].median();
  report.add({case_name, "alloc_free", ours, "ns"});
  for (Side& side : sides) {
    if (side.name.empty() || side.median() == 0) continue;
    report.add({case_name, "alloc_free", ours, "ns", side.name, ours / side.median()});
  }
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  const revenant::bench::Report report("heap", argc, argv);
  const revenant::bench::HeapInSpace space;
  const revenant::bench::MappedFile file;
  for (const std::string_view case_name : revenant::bench::kHeapCases) {
    if (report.wants(case_name)) revenant::bench::run_case(report, case_name);
  }
}
