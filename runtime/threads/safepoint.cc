#include "runtime/threads/safepoint.h"

#include "base/check.h"
#include "runtime/host/program_clock.h"

namespace revenant::runtime {
namespace {

constexpr std::chrono::milliseconds kAssistEvery{1};

}  // namespace

void Safepoint::park() {
  const base::LockGuard guard(lock_);
  if (step_ == nullptr) return;  // released between the poll and here
  --running_;
  run_step_if_last();
  wait_until_released();
  ++running_;
}

void Safepoint::leave() {
  const base::LockGuard guard(lock_);
  --running_;
  run_step_if_last();
}

void Safepoint::enter() {
  const base::LockGuard guard(lock_);
  wait_until_released();  // I3
  ++running_;
}

std::int64_t Safepoint::stop_and(base::FunctionRef<void()> step, base::FunctionRef<bool()> assist) {
  return stop_and_call(step, assist, false);
}

std::int64_t Safepoint::stop_for_good(base::FunctionRef<void()> step,
                                      base::FunctionRef<bool()> assist) {
  return stop_and_call(step, assist, true);
}

std::int64_t Safepoint::stop_and_call(base::FunctionRef<void()> step,
                                      base::FunctionRef<bool()> assist, bool for_good) {
  const std::int64_t requested_at_ns = ProgramClock::host_monotonic_ns();
  bool others_run = false;
  {
    const base::LockGuard guard(lock_);
    REVENANT_CHECK(step_ == nullptr, "a stop within a stop");  // I1
    step_ = &step;
    stepped_once_ = false;
    for_good_ = for_good;
    requested_.store(true, std::memory_order_release);
    run_step_if_last();
    others_run = !stepped_once_;
  }
  bool assists = others_run && assist();
  for (;;) {
    {
      const base::LockGuard guard(lock_);
      if (assists && !stepped_once_) stepped_.wait_for(lock_, kAssistEvery);
      while (!assists && !stepped_once_) stepped_.wait(lock_);
      if (stepped_once_) return released_at_ns_ - requested_at_ns;
    }
    assists = assist();
  }
}

void Safepoint::run_step_if_last() {
  if (step_ == nullptr || stepped_once_ || running_ != 0) return;
  (*step_)();
  stepped_once_ = true;  // I1
  if (!for_good_) {
    step_ = nullptr;
    requested_.store(false, std::memory_order_release);
  }
  released_at_ns_ = ProgramClock::host_monotonic_ns();
  stepped_.notify_one();
  released_.notify_all();
}

void Safepoint::wait_until_released() {
  while (step_ != nullptr) released_.wait(lock_);
}

}  // namespace revenant::runtime
