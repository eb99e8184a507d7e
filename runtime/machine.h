// The whole program: puts the rooms together, starts it, and ends it.
//
//   main thread:  run() -- opens store and space, recovers, starts the others -- waits -- ends
//   worker:       green threads
//   housekeeping: the snapshotter
//
// One object in static storage: programs are linked static and at a fixed address, so it lies at
// the same address in every process of a build, and the frames of green threads may hold addresses
// in it.
//
// I1  Green threads run only between start_threads() and the last stop.
// I2  Every error on the way in is one sentence on stderr and the documented exit code; nothing
//     committed is touched.
//
// Threads: run() on the process's first thread; the accessors from green threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/heap.h"
#include "objects/roots.h"
#include "objects/types.h"
#include "revenant/detail/safepoint.h"
#include "revenant/run.h"
#include "runtime/host/main_thread_linux.h"
#include "runtime/host/program_clock.h"
#include "runtime/mapped_files.h"
#include "runtime/options.h"
#include "runtime/recovery.h"
#include "runtime/snapshots/heap_pages.h"
#include "runtime/snapshots/snapshotter.h"
#include "runtime/snapshots/store_source.h"
#include "runtime/threads/mailbox.h"
#include "runtime/threads/release_queue.h"
#include "runtime/threads/safepoint.h"
#include "runtime/threads/scheduler.h"
#include "runtime/threads/stack_pool.h"
#include "runtime/threads/worker.h"
#include "store/store.h"
#include "vm/memory_manager.h"
#include "vm/stack_slots.h"

namespace revenant::runtime {

class Machine {
 public:
  static Machine& instance();

  // Runs the program to its end; its exit code.
  int run(const RunOptions& options, const detail::main_function& main);

  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] const RunOptions& options() const { return options_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  // Whether `thread` is the one that runs the functions of on_restart.
  [[nodiscard]] bool is_restart_runner(const GreenThread& thread) const {
    return restart_runner_ == &thread;
  }
  void end_restarting();
  // Starts a green thread of the runtime's own, which the program's end does not wait for; null
  // when no stack is to be had.
  GreenThread* start_service(std::unique_ptr<detail::task> body, std::string_view name);

  vm::MemoryManager& memory() { return memory_; }
  Scheduler& scheduler() { return scheduler_; }
  ReleaseQueue& releases() { return releases_; }
  Snapshotter& snapshotter() { return snapshotter_; }
  Mailbox& mailbox() { return mailbox_; }
  MainThread& main_thread() { return main_thread_; }
  MappedFiles& mapped_files() { return mapped_files_; }
  ProgramClock& clock() { return clock_; }
  store::Store& store() { return *store_; }
  objects::Heap& heap() { return *heap_; }
  objects::Roots& roots() { return *roots_; }
  objects::Types& types() { return *types_; }

 private:
  Machine();
  base::Result<int> start_and_wait(const detail::main_function& main);
  base::Status open_store();
  base::Status open_space(RecoveryAction action);
  base::Status enter_world(RecoveryAction action, const detail::main_function& main);
  base::Status begin(const detail::main_function& main);
  base::Status resume();
  base::Status upgrade(const detail::main_function& main);
  void attach_objects(objects::World& world);
  void attach_runtime();
  base::Status start_main(const detail::main_function& main);
  void start_restart_hooks();
  void show_figures();
  base::Status start_threads();
  base::Result<int> end(const MainEvent& event);

  RunOptions options_;
  store::BuildId build_id_{};
  std::uint64_t generation_ = 0;
  bool running_ = false;
  GreenThread* restart_runner_ = nullptr;

  StoreSource source_;
  vm::StackSlotRule stack_rule_;
  vm::StoredRule stored_rule_;
  objects::HeapTickets heap_rule_;
  vm::MemoryManager memory_;
  HeapPages heap_pages_{memory_};
  MappedFiles mapped_files_{memory_};
  ProgramClock clock_;
  Safepoint safepoint_;
  Mailbox mailbox_;
  StackPool stacks_;
  Scheduler scheduler_{stacks_, clock_, safepoint_, mailbox_};
  ReleaseQueue releases_{scheduler_};
  Snapshotter snapshotter_{memory_, safepoint_, clock_, mailbox_};
  MainThread main_thread_;
  Worker worker_;
  std::unique_ptr<store::Store> store_;
  std::optional<base::Result<vm::AdoptedThread>> adopted_main_;
  std::optional<objects::Heap> heap_;
  std::optional<objects::Types> types_;
  std::optional<objects::Roots> roots_;
  std::optional<VolatileCheck> check_;
};

}  // namespace revenant::runtime
