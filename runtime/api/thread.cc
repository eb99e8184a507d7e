// thread, this_thread and the waiting that sync.h is made of.
#include "revenant/thread.h"

#include <algorithm>
#include <cstring>
#include <ostream>
#include <system_error>

#include "revenant/sync.h"
#include "runtime/api_support.h"
#include "runtime/threads/runtime_state.h"

namespace revenant {

using runtime::GreenThread;
using runtime::Machine;
using runtime::Scheduler;
using runtime::Waiter;
using runtime::WaitKind;
using runtime::WaitQueue;

namespace {

Scheduler& scheduler() { return Machine::instance().scheduler(); }

GreenThread& thread_of(void* handle) { return *static_cast<GreenThread*>(handle); }

runtime::Deadline to_deadline(const detail::deadline& until) { return {until.ns, until.wall}; }

WaitQueue& as_queue(detail::wait_queue& queue) {
  static_assert(sizeof(detail::wait_queue) == sizeof(WaitQueue));
  return reinterpret_cast<WaitQueue&>(queue);
}

}  // namespace

void thread::start(const attributes& wanted, std::unique_ptr<detail::task> body) {
  runtime::require_green_thread("revenant::thread");
  const std::size_t stack_bytes =
      wanted.stack_size != 0 ? wanted.stack_size : Machine::instance().options().stack_bytes;
  GreenThread* started =
      scheduler().create(body.get(), wanted.name, stack_bytes, std::stop_source());
  if (started == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                            "no stack of " + std::to_string(stack_bytes) +
                                " bytes is left; end threads, or ask for less");
  }
  (void)body.release();
  handle_ = started;
}

void thread::join() {
  GreenThread& self = runtime::require_green_thread("thread::join");
  if (handle_ == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "this handle has no thread to join");
  }
  GreenThread& joined = thread_of(handle_);
  if (&joined == &self) {
    throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                            "a thread cannot join itself");
  }
  scheduler().wait_for_end(joined);
  const base::LockGuard guard(scheduler().lock());
  scheduler().release_locked(joined);
  handle_ = nullptr;
}

void thread::detach() {
  runtime::require_green_thread("thread::detach");
  if (handle_ == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "this handle has no thread to detach");
  }
  const base::LockGuard guard(scheduler().lock());
  thread_of(handle_).record.detached = 1;
  scheduler().release_locked(thread_of(handle_));
  handle_ = nullptr;
}

thread::id thread::get_id() const noexcept {
  return handle_ == nullptr ? id() : id(thread_of(handle_).record.id);
}

bool thread::request_stop() noexcept {
  return handle_ != nullptr && thread_of(handle_).stop.request_stop();
}

std::stop_token thread::get_stop_token() const noexcept {
  return handle_ == nullptr ? std::stop_token() : thread_of(handle_).stop.get_token();
}

std::stop_source thread::get_stop_source() const noexcept {
  return handle_ == nullptr ? std::stop_source(std::nostopstate) : thread_of(handle_).stop;
}

std::ostream& operator<<(std::ostream& out, thread::id id) { return out << id.value(); }

thread::id thread::current_id() noexcept {
  const GreenThread* self = runtime::current_green_thread();
  return self == nullptr ? id() : id(self->record.id);
}

namespace this_thread {

void yield() {
  if (runtime::current_green_thread() != nullptr) scheduler().yield();
}

void set_name(std::string_view name) {
  auto& record = runtime::require_green_thread("this_thread::set_name").record;
  const std::size_t length = std::min(name.size(), sizeof record.name - 1);
  std::memcpy(record.name, name.data(), length);
  record.name[length] = '\0';
}

}  // namespace this_thread

namespace detail {

std::int64_t program_now_ns() { return Machine::instance().clock().now_ns(); }

void sleep(const deadline& until) {
  Waiter waiter{.thread = &runtime::require_green_thread("sleep")};
  scheduler().lock().lock();
  scheduler().wait_locked(waiter, to_deadline(until), {WaitKind::kSleep});
}

static_assert(sizeof(Waiter) <= 5 * sizeof(void*));

wait_ticket::wait_ticket(wait_queue& queue) {
  auto* waiter = new (storage_) Waiter{.thread = &runtime::require_green_thread("a wait")};
  const base::LockGuard guard(scheduler().lock());
  as_queue(queue).push_back(*waiter);
}

wait_ticket::~wait_ticket() {
  auto& waiter = reinterpret_cast<Waiter&>(storage_);
  const base::LockGuard guard(scheduler().lock());
  if (waiter.queue != nullptr) waiter.queue->erase(waiter);
}

bool wait_ticket::wait(const deadline& until, const void* object) {
  scheduler().lock().lock();
  return scheduler().wait_locked(reinterpret_cast<Waiter&>(storage_), to_deadline(until),
                                 {WaitKind::kCondition, object});
}

void notify_one(wait_queue& queue) {
  runtime::require_green_thread("notify_one");
  const base::LockGuard guard(scheduler().lock());
  scheduler().notify_one_locked(as_queue(queue));
}

void notify_all(wait_queue& queue) {
  runtime::require_green_thread("notify_all");
  const base::LockGuard guard(scheduler().lock());
  scheduler().notify_all_locked(as_queue(queue));
}

}  // namespace detail

void mutex::lock() {
  safepoint();
  GreenThread& self = runtime::require_green_thread("mutex::lock");
  scheduler().lock().lock();
  if (owner_ == nullptr) {
    owner_ = &self;
    scheduler().lock().unlock();
    return;
  }
  if (owner_ == &self) {
    scheduler().lock().unlock();
    throw error(errc::deadlock, "thread '" + std::string(self.record.name) +
                                    "' locks a mutex that it holds already; use a "
                                    "recursive one, or unlock it first");
  }
  Waiter waiter{.thread = &self};
  as_queue(waiters_).push_back(waiter);
  // unlock() has made this thread the owner by the time it wakes.
  scheduler().wait_locked(waiter, {}, {WaitKind::kMutex, this});
}

bool mutex::try_lock() {
  GreenThread& self = runtime::require_green_thread("mutex::try_lock");
  const base::LockGuard guard(scheduler().lock());
  if (owner_ != nullptr) return false;
  owner_ = &self;
  return true;
}

void mutex::unlock() {
  GreenThread& self = runtime::require_green_thread("mutex::unlock");
  bool owned = false;
  {
    const base::LockGuard guard(scheduler().lock());
    owned = owner_ == &self;
    Waiter* next = as_queue(waiters_).first;
    if (owned) owner_ = next == nullptr ? nullptr : next->thread;
    if (owned && next != nullptr) scheduler().notify_locked(*next);
  }
  if (!owned) {
    throw std::system_error(
        std::make_error_code(std::errc::operation_not_permitted),
        "thread '" + std::string(self.record.name) + "' unlocks a mutex that it does not hold");
  }
  safepoint();
}

}  // namespace revenant
