#include "runtime/restart_hooks.h"

#include <cstring>

#include "objects/heap.h"
#include "runtime/api_support.h"
#include "runtime/host/log.h"
#include "runtime/threads/runtime_state.h"

namespace revenant::runtime {
namespace {

class RestartRunner final : public revenant::detail::task {
 public:
  // Functions that are registered by those that run here wait for the next start.
  void run(std::stop_token) override {
    const RuntimeState& state = RuntimeState::at_home();
    const RestartHook* const last = state.last_hook;
    for (RestartHook* hook = state.first_hook;; hook = hook->next) {
      hook->function->run({});
      if (hook == last) break;
    }
    Machine::instance().end_restarting();
  }
};

// A thread that still has to end, with a reference for the caller; null when there is none.
GreenThread* next_unfinished(Scheduler& scheduler, const GreenThread& self) {
  const base::LockGuard guard(scheduler.lock());
  ThreadList& all = scheduler.state().threads.all;
  for (ThreadRecord* each = all.front(); each != nullptr; each = all.next(*each)) {
    GreenThread& thread = GreenThread::of(*each);
    if (&thread == &self || thread.finished() || each->service != 0) continue;
    ++thread.references;
    return &thread;
  }
  return nullptr;
}

void request_stops(Scheduler& scheduler, const GreenThread& self) {
  std::vector<std::stop_source> sources;
  {
    const base::LockGuard guard(scheduler.lock());
    ThreadList& all = scheduler.state().threads.all;
    for (ThreadRecord* each = all.front(); each != nullptr; each = all.next(*each)) {
      if (&GreenThread::of(*each) != &self) sources.push_back(GreenThread::of(*each).stop);
    }
  }
  for (std::stop_source& source : sources) source.request_stop();
}

// Ends of threads that were asked to stop are waited for in silence only so long.
constexpr std::int64_t kPatienceNs = 1'000'000'000;

void say_who_is_waited_for(const GreenThread& thread) {
  log_line(
      "main has returned, and thread %llu '%.32s' has not ended: it is waited for; have it end "
      "when its stop_token asks, or end the program with SIGTERM",
      static_cast<unsigned long long>(thread.record.id), thread.record.name);
}

}  // namespace

void add_restart_hook(std::unique_ptr<revenant::detail::task> function) {
  auto* hook = new RestartHook{.function = function.release()};
  RuntimeState& state = RuntimeState::at_home();
  const base::LockGuard guard(Machine::instance().scheduler().lock());
  (state.last_hook != nullptr ? state.last_hook->next : state.first_hook) = hook;
  state.last_hook = hook;
}

std::unique_ptr<revenant::detail::task> make_restart_runner() {
  return std::make_unique<RestartRunner>();
}

void join_other_threads(Scheduler& scheduler) {
  const GreenThread& self = *current_green_thread();
  request_stops(scheduler, self);
  while (GreenThread* other = next_unfinished(scheduler, self)) {
    other->stop.request_stop();  // one that was started meanwhile
    if (!scheduler.wait_for_end(*other, {scheduler.clock().now_ns() + kPatienceNs})) {
      say_who_is_waited_for(*other);
      scheduler.wait_for_end(*other);
    }
    const base::LockGuard guard(scheduler.lock());
    scheduler.release_locked(*other);
  }
}

bool has_held_functions(Machine& machine) {
  const base::LockGuard guard(machine.scheduler().lock());
  // A releaser that is not waiting is in the middle of one.
  const ReleaseState& state = machine.releases().state_locked();
  return state.first_held != nullptr || (state.has_releaser && state.releaser.empty());
}

std::string_view intern(std::string_view argument) {
  RuntimeState& state = RuntimeState::at_home();
  const base::LockGuard guard(Machine::instance().scheduler().lock());
  for (const InternedArgument* each = state.arguments; each != nullptr; each = each->next) {
    if (std::string_view(each->text(), each->bytes) == argument) return {each->text(), each->bytes};
  }
  void* memory = Machine::instance().heap().allocate(sizeof(InternedArgument) + argument.size());
  if (memory == nullptr) throw std::bad_alloc();
  auto* added = new (memory) InternedArgument{state.arguments, argument.size()};
  std::memcpy(added + 1, argument.data(), argument.size());
  state.arguments = added;
  return {added->text(), added->bytes};
}

}  // namespace revenant::runtime
