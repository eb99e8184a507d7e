// The map against std::map: threads that share blocks, buckets and stripes, each owning its pages.
//
// A page belongs to the thread of its number modulo their count, so that neighbours in a block have
// different owners. An owner knows its pages' entries exactly, from its own std::map; of the
// others' it knows that what it finds is whole. A page that all leave alone, an anchor, is found at
// every look and visited by every walk, exactly once.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/seed.h"
#include "tests/vm/vm_map_pages.h"
#include "vm/vm_map.h"

namespace revenant::vm {
namespace {

using testing::colliding_page;
using testing::is_stamped;
using testing::kEpoch;
using testing::PageNumber;
using testing::stamped;
using testing::version_of;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kOperations = 30'000;  // a thread
#else
constexpr int kOperations = 200'000;
#endif
constexpr std::uint64_t kThreads = 4;

struct Pattern {
  const char* name;
  std::uint64_t pages;
  PageNumber (*page)(std::uint64_t number);
};

PageNumber sequential(std::uint64_t number) { return {0x560000000 + number}; }
PageNumber aligned(std::uint64_t number) { return {0x560000000000 + number * 4096}; }
// 987 blocks apart: a Fibonacci number, the worst stride for a hash by the golden ratio.
PageNumber strided(std::uint64_t number) { return {number * 987 * 16}; }
// Three pages in a block: they are lone, have neighbours, and have them no more; and there are
// blocks enough for the table to grow all the while.
PageNumber sparse(std::uint64_t number) {
  return {number / 3 * internal::kBlockPages + number % 3};
}
// As adversarial, one page in a block.
PageNumber colliding_lone_page(std::uint64_t number) {
  return colliding_page(number * internal::kBlockPages);
}
// The finalizer of splitmix64, cut to the page numbers of 48-bit addresses.
PageNumber random_page(std::uint64_t number) {
  std::uint64_t mixed = number * 0x9E3779B97F4A7C15ull;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBull;
  return {(mixed ^ (mixed >> 31)) >> 28};
}

const Pattern kPatterns[] = {
    {"sequential", 40'000, sequential},
    {"aligned", 40'000, aligned},
    {"strided", 40'000, strided},
    {"sparse", 40'000, sparse},
    {"random", 40'000, random_page},
    {"adversarial", 2'000, colliding_page},
    {"adversarial_lone", 200, colliding_lone_page},
};

class Owner {
 public:
  Owner(VmMap& map, const Pattern& pattern, std::uint64_t index, std::uint64_t seed)
      : map_(map), pattern_(pattern), index_(index), random_(seed + index) {}

  void run() {
    for (int i = 0; i < kOperations && !::testing::Test::HasFailure(); ++i) step();
  }
  [[nodiscard]] const std::map<PageNumber, PageEntry>& model() const { return model_; }

 private:
  void step() {
    const std::uint64_t number = random_() % pattern_.pages;
    const PageNumber page = pattern_.page(number / kThreads * kThreads + index_);
    const auto known = model_.find(page);
    const bool there = known != model_.end();
    switch (random_() % 9) {
      case 0:
      case 1: {
        const PageEntry entry = stamped(page, ++version_);
        ASSERT_EQ(map_.insert(page, entry), !there);
        if (!there) model_[page] = entry;
        break;
      }
      case 2:
        ASSERT_EQ(map_.update(page, [&](PageEntry& entry) { restamp(page, entry); }), there);
        break;
      case 3:
        ASSERT_EQ(map_.upsert(page, [&](PageEntry& entry) { restamp(page, entry); }), !there);
        break;
      case 4:
        ASSERT_EQ(map_.erase(page), there);
        if (there) model_.erase(known);
        break;
      case 5:
        look_at_others(number);
        break;
      case 6:
        change_run(page);
        break;
      default:
        ASSERT_EQ(map_.find(page), there ? std::optional(known->second) : std::nullopt);
    }
  }

  // The owner's pages among a run are set, erased or left.
  void change_run(PageNumber page) {
    const base::PageRun run = VmMap::block_of(page);
    map_.change_run(run, [&](VmMap::RunEntries& entries) {
      for (PageNumber each = run.first; each < run.end(); ++each) {
        ASSERT_TRUE(!entries.has(each) || is_stamped(each, entries.get(each))) << each.value;
        const bool there = model_.contains(each);
        if (each != page && !there) continue;
        ASSERT_EQ(entries.has(each), there);
        if (random_() % 4 == 0) {
          entries.erase(each);
          model_.erase(each);
        } else if (random_() % 2 == 0) {
          PageEntry entry = entries.get(each);
          restamp(each, entry);
          entries.set(each, entry);
        }
      }
    });
  }

  void restamp(PageNumber page, PageEntry& entry) {
    const PageEntry expected = model_.contains(page) ? model_[page] : PageEntry();
    ASSERT_EQ(entry, expected);
    entry = stamped(page, ++version_);
    if (random_() % 2 == 0) entry.mark_dirty(kEpoch);
    model_[page] = entry;
  }

  void look_at_others(std::uint64_t number) {
    const PageNumber page = pattern_.page(number);
    const std::optional<PageEntry> entry = map_.find(page);
    ASSERT_TRUE(!entry || is_stamped(page, *entry)) << page.value;
    const PageNumber anchor = pattern_.page(pattern_.pages + number);
    const std::optional<PageEntry> kept = map_.find(anchor);
    ASSERT_TRUE(kept && version_of(*kept) == 0 && is_stamped(anchor, *kept)) << anchor.value;
  }

  VmMap& map_;
  const Pattern& pattern_;
  const std::uint64_t index_;
  std::mt19937_64 random_;
  std::map<PageNumber, PageEntry> model_;
  std::uint32_t version_ = 0;
};

class VmMapModelTest : public ::testing::TestWithParam<Pattern> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(map_.open().ok());
    for (std::uint64_t i = 0; i < GetParam().pages; ++i) {
      const PageNumber anchor = GetParam().page(GetParam().pages + i);
      PageEntry entry = stamped(anchor, 0);
      if (i % 7 == 0) entry.mark_dirty(kEpoch);
      map_.insert(anchor, entry);
      (entry.dirty() ? dirty_anchors_ : clean_anchors_).insert(anchor);
    }
  }

  // The anchors that a walk visits are all there are, and each once.
  void walk() {
    std::vector<PageNumber> visited;
    map_.for_each([&](PageNumber page, const PageEntry& entry) {
      EXPECT_TRUE(is_stamped(page, entry));
      if (version_of(entry) == 0) visited.push_back(page);
    });
    EXPECT_EQ(visited.size(), anchors());
    std::set<PageNumber> all = clean_anchors_;
    all.insert(dirty_anchors_.begin(), dirty_anchors_.end());
    EXPECT_TRUE(std::set<PageNumber>(visited.begin(), visited.end()) == all);
    visited.clear();
    map_.for_each_dirty([&](PageNumber page, const PageEntry& entry) {
      EXPECT_TRUE(entry.dirty());
      if (version_of(entry) == 0) visited.push_back(page);
    });
    EXPECT_EQ(visited.size(), dirty_anchors_.size());
    EXPECT_TRUE(std::set<PageNumber>(visited.begin(), visited.end()) == dirty_anchors_);
  }
  [[nodiscard]] std::uint64_t anchors() const {
    return clean_anchors_.size() + dirty_anchors_.size();
  }

  // All that the map holds, and all that its owners know, are the same.
  void compare(const std::vector<Owner>& owners) {
    map_.check_invariants();
    std::map<PageNumber, PageEntry> all;
    std::uint64_t dirty = dirty_anchors_.size();
    for (const Owner& owner : owners) all.insert(owner.model().begin(), owner.model().end());
    for (const auto& [page, entry] : all) dirty += entry.dirty() ? 1 : 0;
    const VmMapStatistics statistics = map_.statistics();
    EXPECT_EQ(statistics.entries, all.size() + anchors());
    EXPECT_EQ(statistics.dirty_entries, dirty);
    EXPECT_EQ(testing::dirty_pages(map_).size(), dirty);
    std::uint64_t seen = 0;
    map_.for_each([&](PageNumber page, const PageEntry& entry) {
      const auto known = all.find(page);
      if (known == all.end()) return;
      EXPECT_EQ(entry, known->second);
      ++seen;
    });
    EXPECT_EQ(seen, all.size());
  }

  VmMap map_;
  std::set<PageNumber> clean_anchors_;
  std::set<PageNumber> dirty_anchors_;
};

TEST_P(VmMapModelTest, BehavesAsStdMapForEveryOwner) {
  std::vector<Owner> owners;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    owners.emplace_back(map_, GetParam(), i, ::revenant::testing::seed());
  }
  std::vector<std::thread> threads;
  for (Owner& owner : owners) threads.emplace_back([&owner] { owner.run(); });
  for (std::thread& thread : threads) thread.join();
  compare(owners);
}

// Walks while the owners write: a page that nobody touches is visited exactly once by each walk.
TEST_P(VmMapModelTest, WalksVisitWhatStaysExactlyOnce) {
  std::vector<Owner> owners;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    owners.emplace_back(map_, GetParam(), i, ::revenant::testing::seed() + 100);
  }
  std::atomic<std::uint64_t> writing{kThreads};
  std::vector<std::thread> threads;
  for (Owner& owner : owners) {
    threads.emplace_back([&] {
      owner.run();
      --writing;
    });
  }
  do {
    walk();
  } while (writing.load() != 0);
  for (std::thread& thread : threads) thread.join();
  compare(owners);
}

INSTANTIATE_TEST_SUITE_P(Patterns, VmMapModelTest, ::testing::ValuesIn(kPatterns),
                         [](const auto& pattern) { return std::string(pattern.param.name); });

}  // namespace
}  // namespace revenant::vm
