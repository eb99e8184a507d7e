// syscall() itself, and what C++ libraries reach through it: futexes. For descriptors see
// raw_descriptors_linux.h.
//
// std::atomic's wait, std's semaphores, latches, barriers and futures, and the guards of static
// locals wait on futexes. A green thread that does is parked on a queue of the world's, found by
// the word's address, wherever the word lies (futex_queues.h).
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <optional>

#include "runtime/calls/blocking.h"
#include "runtime/calls/clocks.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/raw_descriptors_linux.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

struct FutexCall {
  const std::uint32_t* word;
  long operation;
  std::uint32_t value;
  const timespec* timeout;

  [[nodiscard]] long command() const { return operation & FUTEX_CMD_MASK; }
  [[nodiscard]] bool waits() const {
    return command() == FUTEX_WAIT || command() == FUTEX_WAIT_BITSET;
  }
  [[nodiscard]] bool wakes() const {
    return command() == FUTEX_WAKE || command() == FUTEX_WAKE_BITSET;
  }
  [[nodiscard]] Deadline deadline() const {
    if (timeout == nullptr) return {};
    if (command() == FUTEX_WAIT) return deadline_in(*timeout);
    const bool wall = (operation & FUTEX_CLOCK_REALTIME) != 0;
    return deadline_at(wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, *timeout);
  }
};

long green_futex_wait(const FutexCall& call) REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  const Deadline deadline = call.deadline();
  Scheduler& scheduler = Machine::instance().scheduler();
  scheduler.lock().lock();
  if (__atomic_load_n(call.word, __ATOMIC_SEQ_CST) != call.value) {
    scheduler.lock().unlock();
    return errno = EAGAIN, kRefused;
  }
  FutexWaiter waiter{{.thread = Worker::of_this_thread()->current()},
                     call.word,
                     call.value,
                     !is_persistent(call.word),
                     scheduler.generation()};
  scheduler.state().futexes.enter(waiter);
  const bool woken = scheduler.wait_locked(waiter, deadline, {WaitKind::kCondition, call.word});
  {
    const base::LockGuard guard(scheduler.lock());
    scheduler.state().futexes.leave(waiter);
  }
  return woken ? 0 : (errno = ETIMEDOUT, kRefused);
}

long green_futex_wake(const FutexCall& call) {
  std::uint32_t woken = 0;
  {
    Scheduler& scheduler = Machine::instance().scheduler();
    const base::LockGuard guard(scheduler.lock());
    Waiter* next = nullptr;
    Waiter* each = scheduler.state().futexes.of(call.word).first;
    for (; each != nullptr && woken < call.value; each = next) {
      next = each->next;
      if (static_cast<FutexWaiter*>(each)->word != call.word) continue;
      scheduler.notify_locked(*each);
      ++woken;
    }
  }
  if (woken == call.value || is_persistent(call.word)) return woken;
  const long others = __real_syscall(SYS_futex, call.word, call.operation, call.value - woken,
                                     nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
  return others < 0 ? others : woken + others;
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

// Outside of green threads a userfaultfd is the runtime's own descriptor. Six words are taken
// whatever the number wants, as libc's own does: those not passed are whatever stands there.
__attribute__((no_sanitize("address"))) long __wrap_syscall(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long word[6];
  for (long& each : word) each = va_arg(arguments, long);
  va_end(arguments);
  const bool green = green_caller() != nullptr;
  if (green && number == SYS_futex) {
    const FutexCall call{reinterpret_cast<const std::uint32_t*>(word[0]), word[1],
                         static_cast<std::uint32_t>(word[2]),
                         reinterpret_cast<const timespec*>(word[3])};
    if (call.waits()) return green_futex_wait(call);
    if (call.wakes()) return green_futex_wake(call);
  } else if (green) {
    if (const std::optional<long> result = raw_descriptor_call(number, word)) return *result;
  }
  const auto make = [&] {
    return __real_syscall(number, word[0], word[1], word[2], word[3], word[4], word[5]);
  };
  if (number != SYS_userfaultfd) return make();
  return DescriptorTable::instance().make_own([&] { return static_cast<int>(make()); });
}

}  // extern "C"
