#include "runtime/calls/blocking.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

#include "runtime/calls/clocks.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/descriptor_wait.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

constexpr std::int64_t kNapNs = 1'000'000;
constexpr std::int64_t kMsInNs = 1'000'000;

// What the kernel fills in for the functions below. Not on the stack, whose pages may be missing;
// and the functions are not inlined, so that its address is not kept over a switch.
thread_local struct {
  pollfd polled;
  struct stat status;
  timeval timeout;
  socklen_t size;
} asked;

__attribute__((noinline)) bool is_ready(int descriptor, short events) {
  asked.polled = {descriptor, events, 0};
  return __real_poll(&asked.polled, 1, 0) != 0;
}

// When the socket's own timeout for receiving or sending, if it has one, will have passed.
__attribute__((noinline)) Deadline own_deadline(int descriptor, short events) {
  asked.size = sizeof asked.timeout;
  const int option = (events & POLLOUT) != 0 ? SO_SNDTIMEO : SO_RCVTIMEO;
  if (__real_getsockopt(descriptor, SOL_SOCKET, option, &asked.timeout, &asked.size) != 0) {
    return {};
  }
  const timespec timeout{asked.timeout.tv_sec, asked.timeout.tv_usec * 1000};
  return timeout.tv_sec == 0 && timeout.tv_nsec == 0 ? Deadline() : deadline_in(timeout);
}

// Parks until the descriptor is ready, the time is over, or a restart came.
void wait_once(int descriptor, short events, std::int64_t timeout_ns) {
  const std::int64_t timeout_ms =
      timeout_ns == kNoDeadline
          ? DescriptorWait::kForEver
          : std::clamp<std::int64_t>(timeout_ns / kMsInNs + 1, 0, DescriptorWait::kForEver - 1);
  const DescriptorWait wait{.descriptor = static_cast<std::uint32_t>(descriptor),
                            .events = static_cast<std::uint8_t>(events),
                            .timeout_ms = static_cast<std::uint32_t>(timeout_ms)};
  Machine::instance().scheduler().call_offloaded(wait_for_descriptor, wait.pack());
}

}  // namespace

__attribute__((noinline)) bool never_blocks(int descriptor) {
  if (__real_fstat(descriptor, &asked.status) == 0 &&
      (S_ISREG(asked.status.st_mode) || S_ISDIR(asked.status.st_mode) ||
       S_ISBLK(asked.status.st_mode))) {
    return true;
  }
  const int flags = __real_fcntl(descriptor, F_GETFL);
  return flags < 0 || (flags & O_NONBLOCK) != 0;
}

Deadline receive_deadline(int descriptor) { return own_deadline(descriptor, POLLIN); }

bool wait_until_ready(int descriptor, short events) {
  if (!check_descriptor(descriptor)) return false;
  if (is_ready(descriptor, events) || never_blocks(descriptor)) return true;
  const Deadline deadline = own_deadline(descriptor, events);
  do {
    const std::int64_t left = left_ns(deadline);
    if (left == 0) {
      errno = EAGAIN;
      return false;
    }
    wait_once(descriptor, events, left);
    if (!check_descriptor(descriptor)) return false;
  } while (!is_ready(descriptor, events));
  return true;
}

void sleep_until(Deadline deadline) REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  Scheduler& scheduler = Machine::instance().scheduler();
  Waiter waiter{.thread = Worker::of_this_thread()->current()};
  scheduler.lock().lock();
  scheduler.wait_locked(waiter, deadline, {WaitKind::kSleep});
}

void nap() { sleep_until(deadline_in(std::chrono::nanoseconds(kNapNs))); }

Deadline deadline_in(std::chrono::nanoseconds duration) {
  const std::int64_t now_ns = Machine::instance().clock().now_ns();
  const std::int64_t left_ns = std::max<std::int64_t>(duration.count(), 0);
  return {.ns = left_ns > kNoDeadline - now_ns ? kNoDeadline : now_ns + left_ns};
}

}  // namespace revenant::runtime
