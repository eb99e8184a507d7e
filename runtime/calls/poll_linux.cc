// poll, select and epoll of green threads: looked at inline; while nothing is ready, the green
// thread waits for one descriptor that stands for all of them.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "runtime/calls/blocking.h"
#include "runtime/calls/bounce.h"
#include "runtime/calls/clocks.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/descriptor_wait.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

constexpr std::int64_t kMsInNs = 1'000'000;

// When to give up, for a timeout in poll's sense.
Deadline deadline_after_ms(int timeout_ms) {
  if (timeout_ms < 0) return {};
  return deadline_in(std::chrono::milliseconds(timeout_ms));
}

void wait_for(int descriptor, const Deadline& deadline) {
  const std::int64_t left = left_ns(deadline);
  DescriptorWait wait{.descriptor = static_cast<std::uint32_t>(descriptor), .events = POLLIN};
  if (left != kNoDeadline) {
    wait.timeout_ms = static_cast<std::uint32_t>(
        std::min<std::int64_t>(left / kMsInNs + 1, DescriptorWait::kForEver - 1));
  }
  Machine::instance().scheduler().call_offloaded(wait_for_descriptor, wait.pack());
}

// What is ready now. Descriptors that are not the caller's are reported as poll reports closed
// ones.
int poll_now(pollfd* polled, nfds_t count) {
  const Bounce bounced = Bounce::in_out(polled, count * sizeof *polled);
  if (!bounced.ok()) return kRefused;
  int refused = 0;
  std::vector<int> numbers(count);
  for (nfds_t i = 0; i < count; ++i) {
    numbers[i] = polled[i].fd;
    const bool usable = numbers[i] < 0 || DescriptorTable::instance().usable(numbers[i]);
    if (!usable) bounced.as<pollfd>()[i].fd = -1;
  }
  int ready = __real_poll(bounced.as<pollfd>(), count, 0);
  if (ready < 0) return ready;
  for (nfds_t i = 0; i < count; ++i) {
    pollfd& seen = bounced.as<pollfd>()[i];
    if (seen.fd != numbers[i]) {
      seen.revents = POLLNVAL;
      ++refused;
    }
    seen.fd = numbers[i];
  }
  bounced.deliver();
  return ready + refused;
}

// Each descriptor once, with all that is asked of it: epoll takes none twice.
std::vector<pollfd> by_number(const pollfd* polled, nfds_t count) {
  std::vector<pollfd> all(polled, polled + count);
  std::sort(all.begin(), all.end(), [](const pollfd& a, const pollfd& b) { return a.fd < b.fd; });
  std::vector<pollfd> merged;
  for (const pollfd& each : all) {
    if (each.fd < 0) continue;
    if (merged.empty() || merged.back().fd != each.fd) merged.push_back({each.fd, 0, 0});
    merged.back().events = static_cast<short>(merged.back().events | each.events);
  }
  return merged;
}

// Adds `polled` to what `common` stands for. A file that epoll refuses is always ready for what it
// will ever be ready for: nothing is to be waited for.
bool add_to(int common, const pollfd& polled) {
  thread_local epoll_event event;
  event.events = static_cast<std::uint32_t>(static_cast<unsigned short>(polled.events));
  return __real_epoll_ctl(common, EPOLL_CTL_ADD, polled.fd, &event) == 0 || errno == EPERM;
}

void close_common(int common) {
  if (DescriptorTable::instance().usable(common)) __real_close(common);
  DescriptorTable::instance().forget(
      common);  // of an earlier process perhaps: nobody else holds it
}

// One epoll descriptor that is readable when any of the polled is ready; -1 when none can be made.
// It is the waiting green thread's, so that a restart forgets it.
int make_common(const pollfd* polled, nfds_t count) {
  const std::vector<pollfd> merged = by_number(polled, count);
  const int common = DescriptorTable::instance().adopt(__real_epoll_create1(EPOLL_CLOEXEC));
  if (common < 0) return common;
  const bool complete = std::all_of(merged.begin(), merged.end(),
                                    [=](const pollfd& each) { return add_to(common, each); });
  if (complete) return common;
  close_common(common);
  return -1;
}

int green_poll(pollfd* polled, nfds_t count, const Deadline& deadline) {
  for (;;) {
    const int ready = poll_now(polled, count);
    if (ready != 0 || left_ns(deadline) == 0) return ready;
    const int common = make_common(polled, count);
    if (common < 0) {
      nap();
      continue;
    }
    wait_for(common, deadline);
    close_common(common);
  }
}

Deadline deadline_of(const timespec* timeout) {
  if (timeout == nullptr) return {};
  return deadline_in(*timeout);
}

// select in terms of poll.
struct SelectSets {
  fd_set* read;
  fd_set* write;
  fd_set* except;

  [[nodiscard]] std::vector<pollfd> to_poll(int count) const {
    std::vector<pollfd> polled;
    for (int i = 0; i < count; ++i) {
      const int events = (has(read, i) ? POLLIN : 0) | (has(write, i) ? POLLOUT : 0) |
                         (has(except, i) ? POLLPRI : 0);
      if (events != 0) polled.push_back({i, static_cast<short>(events), 0});
    }
    return polled;
  }

  // Returns select's result.
  int from_poll(const std::vector<pollfd>& polled) const {
    for (fd_set* set : {read, write, except}) {
      if (set != nullptr) FD_ZERO(set);
    }
    int found = 0;
    for (const pollfd& each : polled) {
      found += put(read, each, POLLIN, POLLIN | POLLHUP | POLLERR);
      found += put(write, each, POLLOUT, POLLOUT | POLLERR);
      found += put(except, each, POLLPRI, POLLPRI);
    }
    return found;
  }

 private:
  static bool has(const fd_set* set, int number) { return set != nullptr && FD_ISSET(number, set); }
  static int put(fd_set* set, const pollfd& each, int asked, int seen) {
    if (set == nullptr || (each.events & asked) == 0 || (each.revents & seen) == 0) return 0;
    FD_SET(each.fd, set);
    return 1;
  }
};

int green_select(int count, const SelectSets& sets, const Deadline& deadline) {
  if (count < 0 || count > FD_SETSIZE) return errno = EINVAL, kRefused;
  std::vector<pollfd> polled = sets.to_poll(count);
  if (green_poll(polled.data(), polled.size(), deadline) < 0) return kRefused;
  const bool bad = std::any_of(polled.begin(), polled.end(),
                               [](const pollfd& each) { return (each.revents & POLLNVAL) != 0; });
  if (bad) return errno = EBADF, kRefused;
  return sets.from_poll(polled);
}

int green_epoll_wait(int epoll, epoll_event* events, int count, int timeout_ms) {
  if (count <= 0) return errno = EINVAL, kRefused;
  const Deadline deadline = deadline_after_ms(timeout_ms);
  for (;;) {
    if (!check_descriptor(epoll)) return kRefused;
    {
      const Bounce bounced = Bounce::out(events, static_cast<std::size_t>(count) * sizeof *events);
      if (!bounced.ok()) return kRefused;
      const int got = __real_epoll_wait(epoll, bounced.as<epoll_event>(), count, 0);
      if (got > 0) bounced.deliver(static_cast<std::size_t>(got) * sizeof *events);
      if (got != 0 || left_ns(deadline) == 0) return got;
    }
    wait_for(epoll, deadline);
  }
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_poll(pollfd* polled, nfds_t count, int timeout_ms) {
  if (green_caller() == nullptr) return __real_poll(polled, count, timeout_ms);
  return green_poll(polled, count, deadline_after_ms(timeout_ms));
}

// The signal masks of ppoll and pselect are for signals that green threads do not get.
int __wrap_ppoll(pollfd* polled, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (green_caller() == nullptr) return __real_ppoll(polled, count, timeout, mask);
  return green_poll(polled, count, deadline_of(timeout));
}

int __wrap_select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
  if (green_caller() == nullptr) return __real_select(count, read, write, except, timeout);
  if (timeout == nullptr) return green_select(count, {read, write, except}, {});
  const timespec time{timeout->tv_sec, timeout->tv_usec * 1000};
  return green_select(count, {read, write, except}, deadline_of(&time));
}

int __wrap_pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout,
                   const sigset_t* mask) {
  if (green_caller() == nullptr) return __real_pselect(count, read, write, except, timeout, mask);
  return green_select(count, {read, write, except}, deadline_of(timeout));
}

int __wrap_epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) {
  if (green_caller() == nullptr) return __real_epoll_ctl(epoll, operation, descriptor, event);
  const Bounce bounced = Bounce::in(event, sizeof *event);
  if (!check_descriptor(epoll) || !check_descriptor(descriptor) || !bounced.ok()) return kRefused;
  return __real_epoll_ctl(epoll, operation, descriptor, bounced.as<epoll_event>());
}

int __wrap_epoll_wait(int epoll, epoll_event* events, int count, int timeout_ms) {
  if (green_caller() == nullptr) return __real_epoll_wait(epoll, events, count, timeout_ms);
  return green_epoll_wait(epoll, events, count, timeout_ms);
}

int __wrap_epoll_pwait(int epoll, epoll_event* events, int count, int timeout_ms,
                       const sigset_t* mask) {
  if (green_caller() == nullptr) return __real_epoll_pwait(epoll, events, count, timeout_ms, mask);
  return green_epoll_wait(epoll, events, count, timeout_ms);
}

}  // extern "C"
