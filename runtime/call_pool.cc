#include "runtime/call_pool.h"

#include <deque>
#include <optional>
#include <system_error>
#include <thread>

#include "base/lock.h"
#include "runtime/descriptor_wait.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

struct PoolCall {
  GreenThread* thread;  // handed back, never followed: it lies in the space (I1)
  void (*call)(void*);
  void* context;
};

void make(const PoolCall& made) {
  made.call(made.context);
  Machine::instance().mailbox().post_finished_call(*made.thread);
}

class CallPool {
 public:
  void add(const PoolCall& call) {
    if (!push(call)) make(call);
  }

  void begin_wait() {
    const base::LockGuard guard(lock_);
    ++waiting_;
    if (queue_.size() > idle_) start_thread();
  }
  void end_wait() {
    const base::LockGuard guard(lock_);
    --waiting_;
  }

 private:
  // False when there is no OS thread to be had at all.
  bool push(const PoolCall& call) {
    const base::LockGuard guard(lock_);
    // Each queued call has an idle thread on its way to it; one more call may need one more.
    const bool short_of_threads =
        queue_.size() >= idle_ && threads_ < kMaxPoolThreads + waiting_;  // I2
    if (short_of_threads && !start_thread() && threads_ == 0) return false;
    queue_.push_back(call);
    arrived_.notify_one();
    return true;
  }

  bool start_thread() REVENANT_REQUIRES(lock_) {
    try {
      std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    ++threads_;
    return true;
  }

  void serve() {
    while (const std::optional<PoolCall> call = take()) make(*call);
  }

  // Empty when the thread is one too many.
  std::optional<PoolCall> take() {
    const base::LockGuard guard(lock_);
    if (threads_ > kMaxPoolThreads + waiting_) {
      --threads_;
      return std::nullopt;
    }
    ++idle_;
    while (queue_.empty()) arrived_.wait(lock_);
    --idle_;
    const PoolCall next = queue_.front();
    queue_.pop_front();
    return next;
  }

  base::Lock lock_{base::LockRank::kMailbox};
  base::Condition arrived_;
  std::deque<PoolCall> queue_ REVENANT_GUARDED_BY(lock_);
  std::size_t threads_ REVENANT_GUARDED_BY(lock_) = 0;
  std::size_t waiting_ REVENANT_GUARDED_BY(lock_) = 0;  // in calls that do not count
  std::size_t idle_ REVENANT_GUARDED_BY(lock_) = 0;
};

CallPool& pool() {
  // Never destroyed: its threads wait on it until the process has ended.
  static CallPool& made = *new CallPool;
  return made;
}

}  // namespace

UnboundedWait::UnboundedWait() { pool().begin_wait(); }

UnboundedWait::~UnboundedWait() { pool().end_wait(); }

void offload_call(GreenThread& thread, void (*call)(void*), void* context) {
  if (call == wait_for_descriptor) {
    wait_for_descriptor_of(thread, DescriptorWait::unpack(context));
  } else {
    pool().add({&thread, call, context});
  }
}

}  // namespace revenant::runtime
