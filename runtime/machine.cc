#include "runtime/machine.h"

#include <stdio_ext.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <utility>

#include "base/exit_code.h"
#include "objects/allocation_domain.h"
#include "objects/world.h"
#include "runtime/call_pool.h"
#include "runtime/capture_check_linux.h"
#include "runtime/crash_report_linux.h"
#include "runtime/host/build_id_linux.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/guard_values_linux.h"
#include "runtime/host/host_features_linux.h"
#include "runtime/host/log.h"
#include "runtime/live_statistics.h"
#include "runtime/persistent_globals.h"
#include "runtime/restart_hooks.h"
#include "runtime/threads/os_thread_linux.h"
#include "runtime/threads/runtime_state.h"
#include "runtime/upgrade.h"

namespace revenant::runtime {
namespace {

alignas(Machine) std::byte machine_storage[sizeof(Machine)];

// Runs `function` with persistent memory as the place of allocation.
template <class Function>
auto in_persistent_memory(Function function) {
  const objects::AllocationDomain before = objects::allocation_domain();
  objects::set_allocation_domain(objects::AllocationDomain::kPersistent);
  auto result = function();
  objects::set_allocation_domain(before);
  return result;
}

// A stream that has no buffer yet gets the one that it would allocate at first use.
void give_buffer(std::FILE* stream, int descriptor) {
  if (::__fbufsize(stream) != 0) return;
  char* buffer = new char[BUFSIZ];  // the stream's, for the life of the process
  std::setvbuf(stream, buffer, ::isatty(descriptor) != 0 ? _IOLBF : _IOFBF, BUFSIZ);
}

// What the C++ and C libraries allocate once, at first use, and keep for the process: were a green
// thread the first to need it, each start would leave a copy in persistent memory.
void warm_up_libraries() {
  try {
    throw 0;  // the unwinder's sorted table of frames
  } catch (int) {
  }
  give_buffer(stdin, STDIN_FILENO);
  give_buffer(stdout, STDOUT_FILENO);
  ::tzset();
}

constexpr std::size_t kServiceStackBytes = std::size_t{64} * 1024;

bool are_addresses_limited() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

// What a finished program's store says at a later start.
int report_finished(const store::SnapshotRecord& head, const std::filesystem::path& store) {
  log_line(
      "the program in %s has finished with exit code %d, at revision %llu; remove the store, or "
      "give another --store, to begin anew",
      store.c_str(), head.info.exit_code, static_cast<unsigned long long>(head.revision.value));
  return head.info.exit_code;
}

}  // namespace

Machine::Machine() : safepoint_(detail::stop_requested) {}

Machine& Machine::instance() {
  static Machine* const machine = new (machine_storage) Machine;
  return *machine;
}

int Machine::run(const RunOptions& options, const detail::main_function& main) {
  set_log_name(options.program.c_str());
  if (running_) {
    log_line("revenant::run was called a second time in one process; call it once");
    return 2;
  }
  options_ = options;
  MainThread::hold_signals();
  MainThread::survive_file_limits();
  const base::Result<int> ended = start_and_wait(main);
  if (ended.ok()) return *ended;
  log_line("%s", ended.error().message.c_str());
  if (!main_thread_.is_open()) MainThread::let_signals_go();
  return base::exit_code_of(ended.error().code);
}

base::Result<int> Machine::start_and_wait(const detail::main_function& main) {
  REVENANT_TRY(DescriptorTable::instance().note_inherited());
  warm_up_libraries();
  REVENANT_TRY(check_captures(main));
  REVENANT_ASSIGN(build_id_, own_build_id());
  REVENANT_TRY(open_store());
  const Found found = find(store_->head(), build_id_, options_.upgrade);
  const RecoveryAction action = decide(found);
  if (action == RecoveryAction::kReportFinished) {
    return report_finished(*store_->head(), options_.store);
  }
  if (action == RecoveryAction::kRefuseBuild) {
    return another_build(*store_->head(), build_id_, options_.store);
  }
  const store::HostFeatures host = own_host();
  if (action != RecoveryAction::kBegin) {
    REVENANT_TRY(check_host(store_->ran_on(), host, options_.store));
  }
  REVENANT_TRY(main_thread_.open());
  REVENANT_TRY(open_space(action));
  REVENANT_ASSIGN(generation_, store_->begin_generation(host));
  REVENANT_TRY(enter_world(action, main));
  REVENANT_TRY(start_threads());
  return end(main_thread_.wait());
}

base::Status Machine::open_store() {
  vm::ReservedMemory addresses;
  if (are_addresses_limited()) {  // held meanwhile, so that the store's map is made to fit beside
    REVENANT_TRY(
        addresses.reserve(kProgramAddresses, "the persistent space and copies of its pages"));
  }
  REVENANT_ASSIGN(store_,
                  store::Store::open({.path = options_.store, .program = options_.program}));
  source_.attach(*store_);
  return {};
}

base::Status Machine::open_space(RecoveryAction action) {
  const bool resumes = action == RecoveryAction::kResume;
  REVENANT_TRY(
      memory_.open({.low_window = low_window(),
                    .low_contents = resumes ? vm::LowContents::kFromStore : vm::LowContents::kKeep,
                    .low_not_before = resumes ? base::kNoEpoch : store_->open_epoch(),
                    .tracker = options_.tracker,
                    .memory_budget = {options_.memory_bytes / base::kPageSize}},
                   source_));
  for (const base::PageRun& run : Capture::own_pages()) memory_.pin(run);
  memory_.trimmer().start(
      [](void* snapshotter) { static_cast<Snapshotter*>(snapshotter)->call_for_memory(); },
      &snapshotter_);
  REVENANT_TRY(memory_.add_segment("heap", vm::kHeapRun, heap_rule_));
  REVENANT_TRY(memory_.add_segment("stacks", vm::kStackRun, stack_rule_));
  REVENANT_TRY(memory_.add_segment("heap metadata", vm::kHeapMetadataRun, stored_rule_));
  REVENANT_TRY(memory_.add_segment("world", vm::kWorldRun, stored_rule_));
  REVENANT_TRY(memory_.add_segment("stack table", kStackTableRun, stored_rule_));
  REVENANT_TRY(memory_.add_segment("descriptor table", kDescriptorTableRun, stored_rule_));
  REVENANT_TRY(mapped_files_.open());
  install_crash_reports(memory_, options_.store);
  adopted_main_.emplace(memory_.adopt_thread());
  if (!adopted_main_->ok()) return adopted_main_->error();
  load_globals_before_leak_check();
  return {};
}

base::Status Machine::enter_world(RecoveryAction action, const detail::main_function& main) {
  memory_.set_open_epoch(store_->open_epoch());
  switch (action) {
    case RecoveryAction::kBegin:
      return begin(main);
    case RecoveryAction::kUpgrade:
      return upgrade(main);
    default:
      return resume();
  }
}

base::Status Machine::begin(const detail::main_function& main) {
  objects::World& world = objects::World::create(draw_guard_values(), store_->open_epoch());
  new (objects::World::runtime_block()) RuntimeState;
  attach_objects(world);
  attach_runtime();
  return start_main(main);
}

base::Status Machine::resume() {
  objects::World& world = objects::World::at_home();
  REVENANT_TRY(world.check());
  world.set_open_epoch(store_->open_epoch());
  RuntimeState& state = RuntimeState::at_home();
  attach_objects(world);
  clock_.resume(state.time);
  attach_runtime();
  scheduler_.interrupt_calls();
  {
    const base::LockGuard guard(scheduler_.lock());
    releases_.committed_locked(store_->head()->revision);
  }
  start_restart_hooks();
  return {};
}

void Machine::start_restart_hooks() {
  if (RuntimeState::at_home().first_hook == nullptr) return;
  scheduler_.set_gate(RuntimeState::at_home().scheduler.threads.next_id);
  restart_runner_ = start_service(in_persistent_memory(make_restart_runner), "on_restart");
  REVENANT_CHECK(restart_runner_ != nullptr, "no stack for the functions of on_restart");
}

void Machine::end_restarting() {
  restart_runner_ = nullptr;
  scheduler_.set_gate(0);
  snapshotter_.hold(false);
}

GreenThread* Machine::start_service(std::unique_ptr<detail::task> body, std::string_view name) {
  const std::stop_source stop = in_persistent_memory([] { return std::stop_source(); });
  GreenThread* thread = scheduler_.create(body.get(), name, kServiceStackBytes, stop);
  if (thread == nullptr) return nullptr;
  (void)body.release();
  const base::LockGuard guard(scheduler_.lock());
  thread->record.service = 1;
  scheduler_.release_locked(*thread);
  return thread;
}

base::Status Machine::upgrade(const detail::main_function& main) {
  objects::World& world = objects::World::at_home();
  REVENANT_TRY(world.check());
  world.set_open_epoch(store_->open_epoch());
  const SavedTime time = RuntimeState::at_home().time;
  MappedFile* const files = RuntimeState::at_home().files;
  drop_threads(memory_);
  drop_globals(memory_);
  RuntimeState* state = new (objects::World::runtime_block()) RuntimeState;
  state->files = files;
  clock_.resume(time);
  attach_objects(world);
  attach_runtime();
  REVENANT_ASSIGN(const std::string tag, tag_old_build(*store_));
  REVENANT_TRY(keep_roots(*roots_, *types_, tag));
  return start_main(main);
}

void Machine::attach_objects(objects::World& world) {
  heap_.emplace(world, heap_pages_, 1);
  types_.emplace(world, *heap_);
  roots_.emplace(world, *heap_);
}

void Machine::attach_runtime() {
  DescriptorTable::instance().attach(generation_);
  RuntimeState& state = RuntimeState::at_home();
  mapped_files_.attach(state.files);
  stacks_.attach(state.stacks, memory_, stack_rule_);
  scheduler_.attach(state.scheduler, generation_, releases_);
  scheduler_.set_offloader(offload_call);
  releases_.attach(state.releases,
                   store_->head().has_value() ? store_->head()->revision : base::kNoEpoch);
}

base::Status Machine::start_main(const detail::main_function& main) {
  std::unique_ptr<detail::task> body = in_persistent_memory(
      [&] { return after_constructors(std::unique_ptr<detail::task>(main.make(main.object))); });
  const std::stop_source stop = in_persistent_memory([] { return std::stop_source(); });
  GreenThread* thread = scheduler_.create(body.get(), "main", options_.stack_bytes, stop);
  if (thread == nullptr) {
    return base::Error{base::ErrorCode::kUsage,
                       "there is no room for main's stack; give a smaller --stack"};
  }
  (void)body.release();
  const base::LockGuard guard(scheduler_.lock());
  scheduler_.release_locked(*thread);
  return {};
}

void Machine::show_figures() {
  LiveHeader header{.process = static_cast<std::uint64_t>(::getpid()),
                    .generation = generation_,
                    .started_wall_ns = ProgramClock::wall_now_ns(),
                    .started_monotonic_ns = ProgramClock::host_monotonic_ns(),
                    .snapshot_every_ns = options_.snapshot_every.count(),
                    .store = store_->id()};
  options_.program.copy(header.program.data(), header.program.size() - 1);
  memory_.tracker().name().copy(header.tracker.data(), header.tracker.size() - 1);
  const base::Status shown =
      show_live(header, memory_.counters(), base::lock_counters(), snapshotter_.counters());
  if (!shown.ok()) log_line("%s; the program goes on", shown.error().message.c_str());
}

base::Status Machine::start_threads() {
  if (options_.check_volatile) check_.emplace(*heap_, *roots_, *types_);
  REVENANT_TRY(snapshotter_.open(*store_, {.every = options_.snapshot_every,
                                           .pause_target = options_.pause_target,
                                           .build_id = build_id_,
                                           .generation = generation_,
                                           .check = check_ ? &*check_ : nullptr}));
  snapshotter_.hold(restart_runner_ != nullptr);
  log_line("%s", memory_.tracker_sentence().c_str());
  show_figures();
  running_ = true;
  const objects::GuardValues guards = objects::World::at_home().guards;
  REVENANT_TRY(start_os_thread({.name = "housekeeping",
                                .slot = 0,
                                .guards = guards,
                                .memory = &memory_,
                                .body =
                                    [](void* machine, StackBounds) {
                                      static_cast<Machine*>(machine)->snapshotter_.run();
                                      sleep_for_ever();
                                    },
                                .context = this}));
  return start_os_thread({.name = "worker-0",
                          .slot = 1,
                          .guards = guards,
                          .memory = &memory_,
                          .body =
                              [](void* context, StackBounds stack) {
                                auto& machine = *static_cast<Machine*>(context);
                                machine.heap_->bind_worker(0);
                                machine.worker_.run(machine.scheduler_, stack);
                              },
                          .context = this});
}

base::Result<int> Machine::end(const MainEvent& event) {
  if (event.kind == MainEvent::Kind::kExit) std::exit(event.exit_code);
  REVENANT_TRY(snapshotter_.stop_after_last_snapshot());
  store_->remember_size();
  return event.kind == MainEvent::Kind::kFinished ? event.exit_code : 0;
}

}  // namespace revenant::runtime
