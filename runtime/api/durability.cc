// sync, tag, after_commit, print and what they need of the runtime.
#include "revenant/durability.h"

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "revenant/thread.h"
#include "runtime/api_support.h"
#include "runtime/elsewhere.h"
#include "runtime/output_linux.h"
#include "runtime/threads/runtime_state.h"
#include "store/tag_name.h"

namespace revenant {

using runtime::GreenThread;
using runtime::HeldFunction;
using runtime::Machine;
using runtime::Scheduler;
using runtime::SyncWaiter;
using runtime::Waiter;
using runtime::WaitKind;

namespace {

base::Epoch open_epoch() { return objects::World::at_home().open_epoch(); }

// Takes held functions off the queue and runs them, for ever; a green thread of the runtime's own.
class Releaser final : public detail::task {
 public:
  void run(std::stop_token) override {
    for (;;) {
      if (HeldFunction* held = take_or_wait()) release(*held);
    }
  }

 private:
  // One that is free to run; null after a wait for the next commit.
  static HeldFunction* take_or_wait() {
    Machine& machine = Machine::instance();
    Scheduler& scheduler = machine.scheduler();
    Waiter waiter{.thread = runtime::current_green_thread()};
    scheduler.lock().lock();
    if (HeldFunction* held = machine.releases().take_released_locked()) {
      scheduler.lock().unlock();
      return held;
    }
    machine.releases().state_locked().releaser.push_back(waiter);
    scheduler.wait_locked(waiter, {}, {WaitKind::kSync});
    return nullptr;
  }

  static void release(HeldFunction& held) {
    std::unique_ptr<detail::task> function(held.function);
    const bool own_thread = held.own_thread;
    delete &held;
    if (own_thread) {
      thread({.name = "after_commit"}, [function = std::move(function)] {
        function->run({});
      }).detach();
    } else {
      function->run({});
    }
  }
};

// The releaser is started with the first function that is held.
void ensure_releaser(Machine& machine) {
  {
    const base::LockGuard guard(machine.scheduler().lock());
    if (std::exchange(machine.releases().state_locked().has_releaser, true)) return;
  }
  if (machine.start_service(std::make_unique<Releaser>(), "releaser") != nullptr) return;
  const base::LockGuard guard(machine.scheduler().lock());
  machine.releases().state_locked().has_releaser = false;
  throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                          "no stack is left for the thread that runs held functions; end threads");
}

void hold(std::unique_ptr<detail::task> function, bool own_thread) {
  Machine& machine = Machine::instance();
  ensure_releaser(machine);
  auto held = std::make_unique<HeldFunction>();
  held->function = function.release();
  held->own_thread = own_thread;
  {
    const base::LockGuard guard(machine.scheduler().lock());
    held->registered = open_epoch();
    machine.releases().add_locked(*held.release());
  }
  machine.snapshotter().request();
}

// On the housekeeping thread.
struct TagCall {
  TagCall(std::string_view tag, revision revision) : name(tag), on{revision} {}

  void run() {
    status = Machine::instance().snapshotter().run_job(
        [](void* call) { return static_cast<TagCall*>(call)->set(); }, this);
  }
  base::Status set() { return Machine::instance().store().tag(name, on); }

  std::string name;
  base::Epoch on;
  base::Status status;
};

base::Status set_tag(std::string_view name, revision on) {
  for (;;) {
    runtime::Elsewhere<TagCall> call(name, on);
    if (call.run_on_worker()) return call->status;
  }
}

}  // namespace

revision sync() {
  GreenThread& self = runtime::require_green_thread("sync");
  Machine& machine = Machine::instance();
  if (machine.is_restart_runner(self)) {
    throw error(errc::deadlock,
                "sync() was called in a function of on_restart, before which no snapshot is taken; "
                "call it from a thread that the function starts");
  }
  machine.snapshotter().request();
  SyncWaiter sync{.waiter = {.thread = &self}};
  machine.scheduler().lock().lock();
  sync.registered = open_epoch();
  machine.releases().add_locked(sync);
  machine.scheduler().wait_locked(sync.waiter, {}, {WaitKind::kSync});
  if (sync.durable == base::kNoEpoch) {
    const auto failure = machine.snapshotter().last_error();
    runtime::throw_error(failure.value_or(
        base::Error{base::ErrorCode::kIoFailed, "the snapshot could not be written; try again"}));
  }
  return sync.durable.value;
}

revision tag(std::string_view name) {
  if (const base::Status checked = store::check_tag_name(name); !checked.ok()) {
    runtime::throw_error(checked.error());
  }
  for (;;) {
    const revision on = sync();
    const base::Status set = set_tag(name, on);
    if (set.ok()) return on;
    // Others may have run for so long in between that the snapshot is gone: then another is named.
    if (set.error().code != base::ErrorCode::kNoSuchRevision) runtime::throw_error(set.error());
  }
}

std::uint64_t generation() { return Machine::instance().generation(); }

namespace detail {

void require_green_thread(const char* what) { runtime::require_green_thread(what); }

void after_commit(std::unique_ptr<task> function) { hold(std::move(function), true); }

void print(std::string_view text) {
  const int error = runtime::write_to_stdout(text);
  if (error == EPIPE) throw runtime::ClosedOutput();
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), "print: stdout cannot be written");
  }
}

void print_after_commit(std::string text) {
  hold(make_task([text = std::move(text)] { print(text); }), false);
}

}  // namespace detail
}  // namespace revenant
