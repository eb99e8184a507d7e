// The heap against an oracle: random operations of several workers at once, the blocks' contents,
// the listing, and restarts in between.
#include "tests/objects/heap_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include "tests/objects/plain_space.h"
#include "tests/support/seed.h"

namespace revenant::objects {
namespace {

#ifdef NDEBUG
constexpr int kSteps = 200'000;
#else
constexpr int kSteps = 25'000;
#endif
constexpr int kRounds = 3;

class HeapModel : public ::testing::Test {
 protected:
  // One round: each worker on a thread of its own, and one thread that is no worker.
  void run_round(unsigned workers) {
    while (models_.size() < workers + 1) {
      models_.push_back(std::make_unique<ModelWorker>(random_(), handover_));
    }
    std::vector<std::thread> threads;
    for (unsigned index = 0; index <= workers; ++index) {
      threads.emplace_back([this, index, workers] {
        if (index < workers) heap_->bind_worker(index);
        models_[index]->run(*heap_, index < workers ? kSteps : kSteps / 10);
        Heap::unbind_worker();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void expect_all_well() {
    const base::Status status = heap_->check_invariants();
    ASSERT_TRUE(status.ok()) << status.error().message;
    LiveBlock block{};
    while (handover_.take(block)) models_[0]->live().push_back(block);
    std::vector<const LiveBlock*> expected;
    for (const auto& model : models_) {
      for (const LiveBlock& live : model->live()) expected.push_back(&live);
    }
    expect_same_blocks(*heap_, expected, random_);
  }

  void next_epoch() { space_.world().set_open_epoch(space_.world().open_epoch().next()); }

  PlainSpace space_;
  FakePages pages_;
  std::mt19937_64 random_{testing::seed()};
  Handover handover_;
  std::vector<std::unique_ptr<ModelWorker>> models_;
  std::optional<Heap> heap_;
};

TEST_F(HeapModel, SeveralWorkersAndAStranger) {
  heap_.emplace(space_.world(), pages_, 4);
  for (int round = 0; round < kRounds; ++round) {
    run_round(4);
    ASSERT_NO_FATAL_FAILURE(expect_all_well());
    next_epoch();
  }
}

// Volatile state is dropped between rounds, and the number of workers changes.
TEST_F(HeapModel, GoesOnAfterRestartsWithOtherWorkers) {
  for (const unsigned workers : {3u, 1u, 4u, 2u}) {
    heap_.emplace(space_.world(), pages_, workers);
    ASSERT_NO_FATAL_FAILURE(models_.empty() ? void() : expect_all_well());
    run_round(workers);
    ASSERT_NO_FATAL_FAILURE(expect_all_well());
    next_epoch();
    heap_.reset();
  }
}

TEST_F(HeapModel, WhatEndsFreeIsGivenBack) {
  heap_.emplace(space_.world(), pages_, 2);
  run_round(2);
  ASSERT_NO_FATAL_FAILURE(expect_all_well());
  heap_->bind_worker(0);
  for (const auto& model : models_) {
    for (const LiveBlock& block : model->live()) heap_->free(block.begin);
    model->live().clear();
  }
  for (const unsigned index : {0u, 1u}) {
    heap_->bind_worker(index);
    heap_->release_free_pages();
  }
  Heap::unbind_worker();
  ASSERT_NO_FATAL_FAILURE(expect_all_well());
  const HeapFigures figures = heap_->view().figures();
  EXPECT_EQ(figures.blocks, 0u);
  EXPECT_EQ(figures.large_pages, 0u);
  EXPECT_EQ(figures.internal_pages, 0u);
  EXPECT_EQ(figures.slab_pages, 0u);
  EXPECT_EQ(figures.reserve_pages, 0u);
  EXPECT_EQ(figures.retained_pages, 0u);
}

}  // namespace
}  // namespace revenant::objects
