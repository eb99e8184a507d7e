// What other OS threads tell the workers.
//
// Green threads, queues and everything else of the world are touched by workers only, since a
// snapshot stops nobody else. The snapshotter, the callers of blocking system calls and the signal
// thread leave a message here; a worker takes it at its next turn.
//
// I1  has_mail() is true from the first message after take() until the next take().
//
// Threads: any. Locks: kMailbox. The messages are volatile: what a lost one would have said is said
// again by recovery.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/lock.h"
#include "base/units.h"

namespace revenant::runtime {

struct GreenThread;

struct Mail {
  std::vector<GreenThread*> finished_calls;
  base::Epoch committed;  // newest epoch known to be durable; none: no news
  base::Epoch failed;     // newest epoch that could not be committed; none: no news

  [[nodiscard]] bool empty() const {
    return finished_calls.empty() && committed == base::kNoEpoch && failed == base::kNoEpoch;
  }
};

class Mailbox {
 public:
  void post_finished_call(GreenThread& thread);
  void post_committed(base::Epoch epoch);
  void post_failed(base::Epoch epoch);
  // Wakes a sleeping worker, if there is one, to look for ready threads.
  void nudge();

  [[nodiscard]] bool has_mail() const { return has_mail_.load(std::memory_order_acquire); }
  Mail take();

  // From here until the end of wait() the worker counts as a sleeper: what becomes ready is nudged
  // about. It looks for ready threads once more in between, or misses one.
  void announce_sleep() { sleepers_.fetch_add(1, std::memory_order_seq_cst); }
  void cancel_sleep() { sleepers_.fetch_sub(1, std::memory_order_relaxed); }
  // Sleeps, once announced, until there is mail or a nudge, or until `timeout` has passed.
  void wait(std::chrono::nanoseconds timeout);

 private:
  base::Lock lock_{base::LockRank::kMailbox};
  base::Condition arrived_;
  std::atomic<bool> has_mail_{false};
  std::atomic<int> sleepers_{0};
  Mail mail_ REVENANT_GUARDED_BY(lock_);
  bool nudged_ REVENANT_GUARDED_BY(lock_) = false;
};

}  // namespace revenant::runtime
