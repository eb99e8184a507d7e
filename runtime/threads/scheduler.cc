#include "runtime/threads/scheduler.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/check.h"

namespace revenant::runtime {

void green_thread_main(transfer_t from);

namespace {

// A sleeping worker looks at the wall clock this often when a wall deadline is pending: the clock
// may be set meanwhile.
constexpr std::int64_t kWallRecheckNs = 1'000'000'000;
// How long a change that nobody announces may go unnoticed.
constexpr std::int64_t kFutexLookNs = 20'000'000;

void copy_name(char (&target)[32], std::string_view name) {
  const std::size_t length = std::min(name.size(), sizeof target - 1);
  std::memcpy(target, name.data(), length);
  target[length] = '\0';
}

}  // namespace

void Scheduler::attach(SchedulerState& state, std::uint64_t generation, CommitListener& listener) {
  state_ = &state;
  generation_ = generation;
  listener_ = &listener;
}

GreenThread* Scheduler::create(detail::task* body, std::string_view name, std::size_t stack_bytes,
                               std::stop_source stop) {
  const base::LockGuard guard(lock_);
  const StackSlot slot = stacks_.allocate(stack_bytes);
  if (slot.low == nullptr) return nullptr;
  unpoison_stack({slot.low, static_cast<std::size_t>(slot.high - slot.low)});
  std::byte* descriptor = slot.high - GreenThread::reserved_bytes();
  auto* thread = new (descriptor) GreenThread;
  std::byte* top = descriptor - 16;
  std::memset(top, 0, 16);
  ThreadRecord& record = thread->record;
  record.id = state_->threads.next_id++;
  copy_name(record.name, name);
  record.stack_low = slot.low;
  record.stack_high = top;
  record.created_in_generation = generation_;
  record.context = make_fcontext(top, static_cast<std::size_t>(top - slot.low), green_thread_main);
  thread->body = body;
  thread->stop = std::move(stop);
  thread->references = 2;  // I2 of GreenThread
  state_->threads.all.push_back(record);
  make_ready_locked(*thread);
  return thread;
}

void Scheduler::release_locked(GreenThread& thread) {
  if (--thread.references != 0) return;
  state_->threads.all.erase(thread.record);
  const StackSlot slot{thread.record.stack_low,
                       reinterpret_cast<std::byte*>(&thread) + GreenThread::reserved_bytes()};
  if (thread.fiber_generation == generation_) destroy_fiber(thread.fiber);
  thread.~GreenThread();
  stacks_.free(slot);
}

bool Scheduler::wait_for_end(GreenThread& thread,
                             Deadline deadline) REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  Waiter waiter{.thread = Worker::of_this_thread()->current()};
  lock_.lock();
  if (thread.finished()) {
    lock_.unlock();
    return true;
  }
  thread.joiners.push_back(waiter);
  return wait_locked(waiter, deadline, {WaitKind::kJoin, &thread});
}

void Scheduler::yield() { Worker::depart({DepartureKind::kYielded}); }

void Scheduler::stop_here() { Worker::depart({DepartureKind::kStopped}); }

bool Scheduler::wait_locked(Waiter& waiter, Deadline deadline,
                            WaitReason reason) REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  if (waiter.notified) {
    lock_.unlock();
    return true;
  }
  GreenThread& self = *Worker::of_this_thread()->current();
  self.waiter = &waiter;
  self.record.state = ThreadState::kWaiting;
  self.record.waits_for = reason.kind;
  self.record.wait_object = reason.object;
  self.record.deadline_ns = deadline.ns;
  self.record.wall_deadline = deadline.wall ? 1 : 0;
  if (deadline.ns != kNoDeadline) state_->timers[self.record.wall_deadline].insert(self);  // I2
  Worker::depart({DepartureKind::kParked});
  return waiter.notified;
}

bool Scheduler::call_outside(void (*call)(void*), void* context) {
  return depart_to_call(DepartureKind::kCalling, call, context);
}

bool Scheduler::call_offloaded(void (*call)(void*), void* context) {
  return depart_to_call(DepartureKind::kOffloaded, call, context);
}

bool Scheduler::depart_to_call(DepartureKind kind, void (*call)(void*), void* context) {
  // In this thread's frame, and so as old as the call: also when the call was answered, and a
  // restart came before this thread's turn.
  const std::uint64_t generation = generation_;
  Worker::depart({kind, call, context});
  return generation_ == generation;
}

void Scheduler::finish_current() {
  GreenThread& self = *Worker::of_this_thread()->current();
  lock_.lock();
  self.record.state = ThreadState::kFinished;
  notify_all_locked(self.joiners);
  Worker::depart_finally({DepartureKind::kFinished});
}

bool Scheduler::notify_one_locked(WaitQueue& queue) {
  if (queue.empty()) return false;
  notify_locked(*queue.first);
  return true;
}

void Scheduler::notify_all_locked(WaitQueue& queue) {
  while (notify_one_locked(queue)) {
  }
}

void Scheduler::notify_locked(Waiter& waiter) {
  if (waiter.queue != nullptr) waiter.queue->erase(waiter);
  waiter.notified = true;
  GreenThread& thread = *waiter.thread;
  if (thread.record.state == ThreadState::kWaiting && thread.waiter == &waiter) {
    make_ready_locked(thread);
  }
}

void Scheduler::make_ready_locked(GreenThread& thread) {
  ThreadRecord& record = thread.record;
  if (record.deadline_ns != kNoDeadline) {
    if (thread.timer_hook.is_linked()) state_->timers[record.wall_deadline].erase(thread);
    record.deadline_ns = kNoDeadline;
  }
  thread.waiter = nullptr;
  record.waits_for = WaitKind::kNone;
  record.wait_object = nullptr;
  record.state = ThreadState::kReady;
  state_->ready.push_back(thread);
  mailbox_.nudge();
}

GreenThread& Scheduler::next() {
  for (;;) {
    if (mailbox_.has_mail()) take_mail();
    lock_.lock();
    fire_timers_locked();
    look_at_futexes_locked();
    GreenThread* ready = take_ready_locked();
    if (ready != nullptr) {
      ready->record.state = ThreadState::kRunning;
      lock_.unlock();
      return *ready;
    }
    lock_.unlock();
    sleep_until_work();
  }
}

// The first thread that may run, left where it is.
GreenThread* Scheduler::first_ready_locked() {
  GreenThread* each = state_->ready.front();
  while (each != nullptr && each->record.id < gate_id_) each = state_->ready.next(*each);  // I3
  return each;
}

GreenThread* Scheduler::take_ready_locked() {
  GreenThread* first = first_ready_locked();
  if (first != nullptr) state_->ready.erase(*first);
  return first;
}

void Scheduler::take_mail() {
  const Mail mail = mailbox_.take();
  const base::LockGuard guard(lock_);
  for (GreenThread* thread : mail.finished_calls) {
    state_->calls.erase(*thread);
    make_ready_locked(*thread);
  }
  if (mail.committed != base::kNoEpoch) listener_->committed_locked(mail.committed);
  // A commit serves those whose epoch failed before it; so it comes first.
  if (mail.failed != base::kNoEpoch) listener_->failed_locked(mail.failed);
}

void Scheduler::fire_timers_locked() {
  for (std::size_t clock = 0; clock < state_->timers.size(); ++clock) {
    TimerQueue& timers = state_->timers[clock];
    if (timers.earliest_ns() == kNoDeadline) continue;
    const std::int64_t now_ns = clock == 0 ? clock_.now_ns() : ProgramClock::wall_now_ns();
    while (GreenThread* due = timers.pop_due(now_ns)) {
      if (due->waiter->queue != nullptr) due->waiter->queue->erase(*due->waiter);
      make_ready_locked(*due);
    }
  }
}

void Scheduler::look_at_futexes_locked() {
  if (!state_->futexes.need_looks(generation_)) return;
  const std::int64_t now_ns = clock_.now_ns();
  if (now_ns < next_look_ns_) return;
  next_look_ns_ = now_ns + kFutexLookNs;
  state_->futexes.look(generation_, [this](Waiter& waiter) { notify_locked(waiter); });
}

void Scheduler::sleep_until_work() {
  mailbox_.announce_sleep();
  lock_.lock();
  const bool ready = first_ready_locked() != nullptr;
  std::int64_t steady_ns = state_->timers[0].earliest_ns();
  const std::int64_t wall_ns = state_->timers[1].earliest_ns();
  if (state_->futexes.need_looks(generation_)) steady_ns = std::min(steady_ns, next_look_ns_);
  lock_.unlock();
  std::int64_t sleep_ns = 3600 * kWallRecheckNs;
  if (steady_ns != kNoDeadline) sleep_ns = std::min(sleep_ns, steady_ns - clock_.now_ns());
  if (wall_ns != kNoDeadline) {
    sleep_ns = std::min({sleep_ns, wall_ns - ProgramClock::wall_now_ns(), kWallRecheckNs});
  }
  if (ready || sleep_ns <= 0) {
    mailbox_.cancel_sleep();
    return stop_if_requested();
  }
  safepoint_.leave();
  mailbox_.wait(std::chrono::nanoseconds(sleep_ns));
  safepoint_.enter();
}

void Scheduler::settle(GreenThread& thread,
                       const Departure& departure) REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  switch (departure.kind) {
    case DepartureKind::kYielded:
    case DepartureKind::kStopped:
      lock_.lock();
      thread.record.state = ThreadState::kReady;
      if (departure.kind == DepartureKind::kYielded) {
        state_->ready.push_back(thread);
      } else {
        state_->ready.push_front(thread);
      }
      lock_.unlock();
      break;
    case DepartureKind::kParked:
      lock_.unlock();  // I2 of Worker: the context is saved by now
      break;
    case DepartureKind::kCalling:
    case DepartureKind::kOffloaded:
      call_for(thread, departure);
      break;
    case DepartureKind::kFinished:
      release_locked(thread);
      lock_.unlock();
      break;
  }
}

void Scheduler::call_for(GreenThread& thread, const Departure& departure) {
  lock_.lock();
  thread.record.state = ThreadState::kInCall;
  thread.record.waits_for = WaitKind::kCall;
  state_->calls.push_back(thread);
  lock_.unlock();
  if (departure.kind == DepartureKind::kOffloaded) {
    offload_(thread, departure.call, departure.context);
    return;
  }
  safepoint_.leave();
  departure.call(departure.context);
  safepoint_.enter();
  lock_.lock();
  state_->calls.erase(thread);
  make_ready_locked(thread);
  // The caller goes on before the others: its turn is not over.
  state_->ready.erase(thread);
  state_->ready.push_front(thread);
  lock_.unlock();
}

void Scheduler::set_gate(std::uint64_t first_id) {
  const base::LockGuard guard(lock_);
  gate_id_ = first_id;
  mailbox_.nudge();
}

void Scheduler::interrupt_calls() {
  const base::LockGuard guard(lock_);
  while (GreenThread* thread = state_->calls.pop_front()) make_ready_locked(*thread);
}

}  // namespace revenant::runtime
