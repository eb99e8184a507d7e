// Deadlines fire in order, none early, none lost: against a model.
#include "runtime/threads/timer_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>

#include "tests/support/seed.h"

namespace revenant::runtime {
namespace {

TEST(TimerQueueTest, AgreesWithASortedModel) {
  std::mt19937_64 random(testing::seed());
  std::vector<std::unique_ptr<GreenThread>> threads;
  for (int i = 0; i < 200; ++i) {
    threads.push_back(std::make_unique<GreenThread>());
    threads.back()->record.id = static_cast<std::uint64_t>(i);
  }
  TimerQueue queue;
  std::multiset<std::pair<std::int64_t, std::uint64_t>> model;
  std::int64_t now_ns = 0;
  for (int step = 0; step < 20'000; ++step) {
    GreenThread& thread = *threads[random() % threads.size()];
    if (thread.timer_hook.is_linked()) {
      queue.erase(thread);
      model.erase(model.find({thread.record.deadline_ns, thread.record.id}));
    } else {
      thread.record.deadline_ns = now_ns + static_cast<std::int64_t>(random() % 1000);
      queue.insert(thread);
      model.insert({thread.record.deadline_ns, thread.record.id});
    }
    EXPECT_EQ(queue.earliest_ns(), model.empty() ? kNoDeadline : model.begin()->first);
    now_ns += static_cast<std::int64_t>(random() % 3);
    while (GreenThread* due = queue.pop_due(now_ns)) {
      ASSERT_LE(due->record.deadline_ns, now_ns);
      ASSERT_EQ(due->record.deadline_ns, model.begin()->first);
      model.erase(model.find({due->record.deadline_ns, due->record.id}));
    }
    ASSERT_TRUE(model.empty() || model.begin()->first > now_ns);
  }
}

}  // namespace
}  // namespace revenant::runtime
