#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/lock.h"
#include "runtime/descriptor_wait.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

constexpr std::int64_t kMsInNs = 1'000'000;

struct Waiting {
  GreenThread* thread;  // handed back, never followed
  DescriptorWait wait;
  std::int64_t until_ns;
};

class DescriptorWaiter {
 public:
  DescriptorWaiter() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    REVENANT_CHECK(wake_ >= 0, "eventfd: error %d", errno);
    std::thread([this] { serve(); }).detach();
  }

  void add(const Waiting& waiting) {
    const base::LockGuard guard(lock_);
    arrived_.push_back(waiting);
    const std::uint64_t one = 1;
    (void)!__real_write(wake_, &one, sizeof one);
  }

 private:
  [[noreturn]] void serve() {
    for (;;) {
      take_arrived();
      const int timeout_ms = list_waits();
      __real_poll(polled_.data(), polled_.size(), timeout_ms);
      finish_ready();
    }
  }

  void take_arrived() {
    std::uint64_t count = 0;
    (void)!__real_read(wake_, &count, sizeof count);
    const base::LockGuard guard(lock_);
    waits_.insert(waits_.end(), arrived_.begin(), arrived_.end());
    arrived_.clear();
  }

  // Fills polled_: the eventfd, then the waits in their order. Returns when to look at the latest.
  int list_waits() {
    std::int64_t until_ns = kNoDeadline;
    polled_.assign(1, {wake_, POLLIN, 0});
    for (const Waiting& waiting : waits_) {
      polled_.push_back({static_cast<int>(waiting.wait.descriptor), waiting.wait.events, 0});
      until_ns = std::min(until_ns, waiting.until_ns);
    }
    if (until_ns == kNoDeadline) return -1;
    const std::int64_t left_ns = until_ns - ProgramClock::host_monotonic_ns();
    return static_cast<int>(std::clamp<std::int64_t>(left_ns / kMsInNs + 1, 0, INT32_MAX));
  }

  void finish_ready() {
    const std::int64_t now_ns = ProgramClock::host_monotonic_ns();
    std::size_t index = 0;
    std::erase_if(waits_, [&](const Waiting& waiting) {
      const bool ready = polled_[++index].revents != 0 || waiting.until_ns <= now_ns;
      if (ready) Machine::instance().mailbox().post_finished_call(*waiting.thread);
      return ready;
    });
  }

  const int wake_;
  std::vector<Waiting> waits_;  // of the serving thread, as polled_ is
  std::vector<pollfd> polled_;
  base::Lock lock_{base::LockRank::kMailbox};
  std::vector<Waiting> arrived_ REVENANT_GUARDED_BY(lock_);
};

DescriptorWaiter& waiter() {
  // Never destroyed: its thread serves until the process has ended.
  static DescriptorWaiter& made = *new DescriptorWaiter;
  return made;
}

}  // namespace

void wait_for_descriptor(void* packed) {
  const DescriptorWait wait = DescriptorWait::unpack(packed);
  pollfd polled{static_cast<int>(wait.descriptor), wait.events, 0};
  __real_poll(&polled, 1,
              wait.timeout_ms == DescriptorWait::kForEver ? -1 : static_cast<int>(wait.timeout_ms));
}

void wait_for_descriptor_of(GreenThread& thread, const DescriptorWait& wait) {
  std::int64_t until_ns = kNoDeadline;
  if (wait.timeout_ms != DescriptorWait::kForEver) {
    until_ns = ProgramClock::host_monotonic_ns() + wait.timeout_ms * kMsInNs;
  }
  waiter().add({&thread, wait, until_ns});
}

}  // namespace revenant::runtime
