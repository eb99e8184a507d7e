// The table against an array with a ticket for every page: random ranges are set, erased and ended,
// while other threads look pages up without a lock.
//
// Pages are dealt out to owners by areas of uneven bounds, so that owners meet within chunks.
// Between two areas lies an anchor, a page of another owner that never ends and only ever changes
// between two tickets: readers must find one of them.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/seed.h"
#include "vm/ticket_table.h"

namespace revenant::vm {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kOperations = 1'500;
#else
constexpr int kOperations = 6'000;
#endif
constexpr std::uint64_t kOwners = 3;
constexpr std::uint64_t kPages = 6 * base::kPagesPerChunk;
constexpr std::uint64_t kAreaPages = kPages / kOwners - 77;
// Where the pages lie: across the border of two slots of the directory's root.
constexpr base::PageNumber kFirst = space_run(7 * kGiB - 5 * base::kChunkSize / 2, 1).first;

using MaybeTicket = std::optional<Ticket>;

base::PageNumber page_of(std::uint64_t index) { return kFirst + base::PageCount{index}; }

class TicketTableModelTest : public ::testing::Test {
 protected:
  struct Area {
    TicketOwner owner;
    std::uint64_t begin;
    std::uint64_t end;  // the anchor
  };

  void SetUp() override {
    ASSERT_TRUE(table_.open(kSpaceRun).ok());
    anchors_ = table_.add_owner();
    for (std::uint64_t i = 0; i < kOwners; ++i) {
      areas_.push_back({table_.add_owner(), i * kAreaPages, (i + 1) * kAreaPages - 1});
      set(anchors_, areas_.back().end, areas_.back().end + 1, Ticket::zero_fill());
    }
  }

  // Sizes from one page to the whole area, and bounds that are often a chunk's.
  void step() {
    Area& area = areas_[random_() % kOwners];
    std::uint64_t begin = area.begin + random_() % (area.end - area.begin);
    std::uint64_t count = std::uint64_t{1} << random_() % 11;
    if (random_() % 4 == 0) {
      begin = std::max(area.begin, begin / base::kPagesPerChunk * base::kPagesPerChunk);
      count = base::kPagesPerChunk;
    }
    const std::uint64_t end = std::min(begin + count, area.end);
    switch (random_() % 64) {
      case 0:
        return end_owner(area);
      case 1:
        return set(area.owner, area.begin, area.end, random_ticket(area.begin));
      default:
        if (random_() % 4 == 0) return erase(area.owner, begin, end);
        set(area.owner, begin, end, random_ticket(begin));
        set(anchors_, area.end, area.end + 1,
            random_() % 2 == 0 ? Ticket::zero_fill() : Ticket::stored());
    }
  }

  // Few different ones, so that neighbours are often equal.
  Ticket random_ticket(std::uint64_t index) {
    switch (random_() % 5) {
      case 0:
        return Ticket::forbidden(ForbiddenReason::kFreed);
      case 1:
        return Ticket::host_file(page_of(index), index);
      case 2:
        return Ticket::parked(page_of(index), ++generations_of_images_ * kPages + index);
      default:
        return Ticket::stored({random_() % 2});
    }
  }

  void set(TicketOwner owner, std::uint64_t begin, std::uint64_t end, const Ticket& ticket) {
    table_.set(owner, {page_of(begin), {end - begin}}, ticket, count_given_back());
    for (std::uint64_t i = begin; i < end; ++i) change(i, ticket);
  }
  void erase(TicketOwner owner, std::uint64_t begin, std::uint64_t end) {
    table_.erase(owner, {page_of(begin), {end - begin}}, count_given_back());
    for (std::uint64_t i = begin; i < end; ++i) change(i, {});
  }
  void end_owner(Area& area) {
    table_.end(area.owner, count_given_back());
    for (std::uint64_t i = area.begin; i < area.end; ++i) change(i, {});
    area.owner = table_.add_owner();
  }
  void change(std::uint64_t index, const MaybeTicket& to) {
    if (is_parked(model_[index])) ++images_due_[model_[index]->reference_of(page_of(index))];
    model_[index] = to;
  }
  static bool is_parked(const MaybeTicket& ticket) {
    return ticket.has_value() && ticket->kind == Ticket::Kind::kParked;
  }
  struct CountGivenBack {
    std::map<std::uint64_t, int>& images;
    void operator()(base::PageRun run, const Ticket& ticket) const {
      for (std::uint64_t i = 0; i < run.count.value; ++i) {
        ++images[ticket.reference_of(run.first + base::PageCount{i})];
      }
    }
  };
  TicketTable::GiveBack count_given_back() { return counter_; }

  // Every page is as the model says, no image was given back twice or forgotten, and the tickets
  // are as few as can be.
  void compare() {
    table_.check_invariants();
    std::uint64_t ranges = 0;
    for (std::uint64_t i = 0; i < kPages; ++i) {
      ASSERT_EQ(table_.find(page_of(i)), model_[i]) << "page " << i;
      const bool begins = i % kAreaPages == 0 || i % kAreaPages == kAreaPages - 1;
      const bool goes_on = !begins && model_[i] == model_[i - 1];
      if (model_[i].has_value() && !goes_on) ++ranges;
    }
    EXPECT_EQ(table_.statistics().tickets, ranges);
    EXPECT_EQ(images_given_back_, images_due_);
  }

  // Looks at the anchors, and at any other pages, until told to stop.
  void read(std::uint64_t reader) {
    std::mt19937_64 random(::revenant::testing::seed() + 1 + reader);
    while (!stop_.load(std::memory_order_relaxed)) {
      const std::uint64_t anchor = (random() % kOwners + 1) * kAreaPages - 1;
      const MaybeTicket found = table_.find(page_of(anchor));
      if (found != Ticket::zero_fill() && found != Ticket::stored()) ++wrong_;
      const std::uint64_t any = random() % kPages;
      if (!is_whole(any, table_.find(page_of(any)))) ++wrong_;
      ++looks_;
    }
  }
  // Whether `found` is one of those that random_ticket() makes for the page.
  static bool is_whole(std::uint64_t index, const MaybeTicket& found) {
    if (!found.has_value()) return true;
    const std::uint64_t reference = found->reference_of(page_of(index));
    switch (found->kind) {
      case Ticket::Kind::kParked:
        return reference % kPages == index && !found->read_only;
      case Ticket::Kind::kHostFile:
        return reference == index && found->read_only;
      default:
        return found->origin == 0 && !found->read_only;
    }
  }

  TicketTable table_;
  std::mt19937_64 random_{::revenant::testing::seed()};
  std::vector<Area> areas_;
  TicketOwner anchors_;
  std::vector<MaybeTicket> model_ = std::vector<MaybeTicket>(kPages);
  std::uint64_t generations_of_images_ = 0;
  std::map<std::uint64_t, int> images_due_;
  std::map<std::uint64_t, int> images_given_back_;
  CountGivenBack counter_{images_given_back_};

  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> looks_{0};
  std::atomic<std::uint64_t> wrong_{0};
};

TEST_F(TicketTableModelTest, BehavesAsATicketForEveryPage) {
  for (int i = 0; i < kOperations && !HasFailure(); ++i) {
    step();
    if (i % 100 == 0) compare();
  }
  compare();
  for (Area& area : areas_) table_.end(area.owner, count_given_back());
  table_.end(anchors_, count_given_back());
  EXPECT_EQ(table_.statistics().tickets, 0u);
  EXPECT_EQ(table_.statistics().nodes, 0u);
}

TEST_F(TicketTableModelTest, ReadersWithoutALockFindOldOrNew) {
  std::vector<std::thread> readers;
  for (std::uint64_t i = 0; i < 2; ++i) readers.emplace_back([this, i] { read(i); });
  for (int i = 0; i < kOperations; ++i) step();
  while (looks_.load() < 1000) std::this_thread::yield();
  stop_.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong_.load(), 0u);
  compare();
}

}  // namespace
}  // namespace revenant::vm
