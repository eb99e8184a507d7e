// Threads with a deadline, earliest first.
//
// A red-black tree (Boost.Intrusive) whose nodes are the threads: it lies in the world and survives
// as it is, so that a restart with a hundred thousand sleepers rebuilds nothing.
//
// I1  A thread is in the queue of its clock exactly while its deadline is set.
//
// Threads and locks: guarded by the scheduler's lock.
#pragma once

#include <cstdint>

#include <boost/intrusive/set.hpp>

#include "runtime/threads/green_thread.h"

namespace revenant::runtime {

class TimerQueue {
 public:
  void insert(GreenThread& thread) { threads_.insert(thread); }
  void erase(GreenThread& thread) { threads_.erase(threads_.iterator_to(thread)); }

  // kNoDeadline when nothing waits.
  [[nodiscard]] std::int64_t earliest_ns() const {
    return threads_.empty() ? kNoDeadline : threads_.begin()->record.deadline_ns;
  }

  // Removes and returns a thread whose deadline is at or before `now_ns`, or null.
  GreenThread* pop_due(std::int64_t now_ns) {
    if (earliest_ns() > now_ns || threads_.empty()) return nullptr;
    GreenThread& due = *threads_.begin();
    threads_.erase(threads_.begin());
    return &due;
  }

 private:
  struct Earlier {
    bool operator()(const GreenThread& a, const GreenThread& b) const {
      return a.record.deadline_ns < b.record.deadline_ns;
    }
  };
  using Hook = boost::intrusive::member_hook<GreenThread, TimerHook, &GreenThread::timer_hook>;

  boost::intrusive::multiset<GreenThread, Hook, boost::intrusive::compare<Earlier>> threads_;
};

}  // namespace revenant::runtime
