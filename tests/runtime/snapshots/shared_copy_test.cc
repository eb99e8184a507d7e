// Two threads and one list: every page once, with what it held, however the helper is delayed.
#include "runtime/snapshots/shared_copy.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "tests/support/seed.h"

namespace revenant::runtime {
namespace {

using namespace std::chrono_literals;
using base::kPageSize;
using base::PageNumber;

constexpr std::size_t kPages = 1500;

void spin(std::chrono::nanoseconds length) {
  const auto until = std::chrono::steady_clock::now() + length;
  while (std::chrono::steady_clock::now() < until) {
  }
}

class SharedCopyTest : public ::testing::Test {
 protected:
  SharedCopyTest() : source_(map(kPages)), own_(map(kPages)), helped_(map(kPages)) {}
  ~SharedCopyTest() override {
    for (std::byte* memory : {source_, own_, helped_}) ::munmap(memory, kPages * kPageSize);
  }

  static std::byte* map(std::size_t pages) {
    void* memory = ::mmap(nullptr, pages * kPageSize, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    return static_cast<std::byte*>(memory);
  }

  // Some of the source's pages as runs, each page holding its number and `round`.
  std::vector<base::PageRun> write_runs(std::uint64_t round) {
    std::vector<base::PageRun> runs;
    for (std::size_t at = random_() % 3; at < kPages;) {
      const std::size_t count = std::min<std::size_t>(1 + random_() % 200, kPages - at);
      runs.push_back({PageNumber::of(source_ + at * kPageSize), {count}});
      for (std::size_t page = at; page < at + count; ++page) {
        std::uint64_t words[kPageSize / 8];
        for (std::uint64_t& word : words) word = page * 1'000'003 + round;
        std::memcpy(source_ + page * kPageSize, words, kPageSize);
      }
      at += count + 1 + random_() % 3;
    }
    return runs;
  }

  // Every page of `runs` is visited once, and its copy holds what it holds. Returns how many the
  // helper copied.
  std::size_t check(const std::vector<base::PageRun>& runs) {
    std::map<std::uint64_t, int> visits;
    std::size_t helped_pages = 0;
    const auto visit = [&](PageNumber page, bool helped, std::size_t frame) {
      ++visits[page.value];
      helped_pages += helped ? 1 : 0;
      const std::byte* target = (helped ? helped_ : own_) + frame * kPageSize;
      EXPECT_EQ(std::memcmp(target, page.pointer(), kPageSize), 0);
    };
    copy_.for_each(visit, [](PageNumber page) { ADD_FAILURE() << page.value; });
    std::size_t wanted = 0;
    for (const base::PageRun& run : runs) {
      for (PageNumber page = run.first; page < run.end(); ++page, ++wanted) {
        EXPECT_EQ(visits[page.value], 1);
      }
    }
    EXPECT_EQ(visits.size(), wanted);
    EXPECT_EQ(copy_.pages(), wanted);
    EXPECT_EQ(copy_.own_pages(), wanted - helped_pages);
    return helped_pages;
  }

  std::mt19937_64 random_{testing::seed()};
  std::byte* source_;
  std::byte* own_;
  std::byte* helped_;
  SharedCopy copy_;
};

TEST_F(SharedCopyTest, NobodyHelps) {
  const auto runs = write_runs(1);
  copy_.plan(runs);
  copy_.copy(own_, helped_);
  EXPECT_EQ(check(runs), 0u);
}

TEST_F(SharedCopyTest, NothingToCopy) {
  copy_.plan({});
  copy_.copy(own_, helped_);
  copy_.help(0ns);
  EXPECT_EQ(check({}), 0u);
}

TEST_F(SharedCopyTest, AHelperLosesItsPatienceAndOneThatIsLateSpoilsNothing) {
  const auto runs = write_runs(1);
  copy_.plan(runs);
  copy_.help(1ms);
  copy_.copy(own_, helped_);
  copy_.help(1ms);
  EXPECT_EQ(check(runs), 0u);
}

// The helper is interrupted at random for longer than the owner waits, so that parts are taken
// back.
TEST_F(SharedCopyTest, AHelperThatIsInterruptedIsNotWaitedFor) {
  struct sigaction nap {};
  nap.sa_handler = [](int) { spin(300us); };
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGUSR1, &nap, &before), 0);
  std::atomic<int> round{0};
  std::atomic<int> helped{0};
  std::thread helper([&] {
    for (int seen = 0; seen >= 0;) {
      const int now = round.load();
      if (now == seen) continue;
      seen = now;
      if (now > 0) copy_.help(1ms);
      helped.store(now);
    }
  });
  std::size_t pages_helped = 0;
  for (int now = 1; now <= 300 || pages_helped == 0; ++now) {
    const auto runs = write_runs(static_cast<std::uint64_t>(now));
    copy_.plan(runs);
    round.store(now);
    if (random_() % 2 == 0) spin(std::chrono::microseconds(random_() % 50));
    if (random_() % 2 == 0) ::pthread_kill(helper.native_handle(), SIGUSR1);
    copy_.copy(own_, helped_);
    pages_helped += check(runs);
    while (helped.load() != now) std::this_thread::yield();
    check(runs);
  }
  round.store(-1);
  helper.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace revenant::runtime
