// One ticket for any number of pages: splitting, joining, ending, and what it costs.
#include "vm/ticket_table.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/vm/memory_test.h"

namespace revenant::vm {
namespace {

constexpr base::PageRun kFile = space_run(3 * kGiB + 5 * base::kPageSize, 8 * kMiB);

constexpr base::PageRun part_of(base::PageRun run, std::uint64_t first, std::uint64_t count) {
  return {page_at(run, first), {count}};
}

class TicketTableTest : public ::testing::Test {
 protected:
  void SetUp() override { open(kSpaceRun); }
  void TearDown() override { table.check_invariants(); }

  void open(base::PageRun pages) {
    ASSERT_TRUE(table.open(pages).ok());
    owner = table.add_owner();
  }
  void set(base::PageRun run, const Ticket& ticket) { table.set(owner, run, ticket, collect()); }
  void erase(base::PageRun run) { table.erase(owner, run, collect()); }
  [[nodiscard]] Ticket at(base::PageNumber page) const {
    return table.find(page).value_or(Ticket::forbidden(ForbiddenReason::kUnmapped));
  }
  // What is given back: the first image and how many.
  TicketTable::GiveBack collect() { return collector_; }

  TicketTable table;
  TicketOwner owner;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> given_back;

 private:
  struct Collector {
    std::vector<std::pair<std::uint64_t, std::uint64_t>>& into;
    void operator()(base::PageRun run, const Ticket& ticket) const {
      into.emplace_back(ticket.reference_of(run.first), run.count.value);
    }
  };
  Collector collector_{given_back};
};

TEST_F(TicketTableTest, AMappingOf8MiBCostsOneTicket) {
  set(kFile, Ticket::host_file(kFile.first, 700));
  EXPECT_EQ(table.count_of(owner), 1u);
  EXPECT_EQ(table.statistics().tickets, 1u);
  for (std::uint64_t i = 0; i < kFile.count.value; ++i) {
    ASSERT_EQ(at(page_at(kFile, i)).reference_of(page_at(kFile, i)), 700 + i);
  }
  EXPECT_FALSE(table.find(kFile.first - base::PageCount{1}).has_value());
  EXPECT_FALSE(table.find(kFile.end()).has_value());
}

TEST_F(TicketTableTest, TheWholeSpaceCostsOneTicketAndNoNode) {
  set(kSpaceRun, Ticket::stored());
  EXPECT_EQ(table.statistics().tickets, 1u);
  EXPECT_EQ(table.statistics().nodes, 0u);
  EXPECT_EQ(at(kSpaceRun.end() - base::PageCount{1}), Ticket::stored());
  const base::PageRun hole = part_of(kSpaceRun, 123'456'789, 1);
  set(hole, Ticket::forbidden(ForbiddenReason::kFreed));
  EXPECT_EQ(table.statistics().tickets, 3u);
  EXPECT_EQ(table.statistics().nodes, 2u);
  table.check_invariants();
  set(hole, Ticket::stored());
  EXPECT_EQ(table.statistics().tickets, 1u);
  EXPECT_EQ(table.statistics().nodes, 0u) << "what is alike again is one again";
  EXPECT_EQ(table.extent_at(hole.first), kSpaceRun);
}

TEST_F(TicketTableTest, EveryKindIsToldAsItWasSet) {
  const base::PageNumber first = kFile.first;
  const std::vector<Ticket> kinds = {Ticket::stored(),
                                     Ticket::stored({41}),
                                     Ticket::stored({41}).as_read_only(),
                                     Ticket::zero_fill(),
                                     Ticket::zero_fill().as_read_only(),
                                     Ticket::forbidden(ForbiddenReason::kGuard),
                                     Ticket::forbidden(ForbiddenReason::kFreed),
                                     Ticket::forbidden(ForbiddenReason::kUnmapped),
                                     Ticket::parked(first, 12),
                                     Ticket::host_file(first, 34)};
  for (std::size_t i = 0; i < kinds.size(); ++i) set(part_of(kFile, i * 3, 2), kinds[i]);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    EXPECT_EQ(at(page_at(kFile, i * 3 + 1)), kinds[i]) << i;
    EXPECT_FALSE(table.find(page_at(kFile, i * 3 + 2)).has_value()) << i;
  }
}

TEST_F(TicketTableTest, NeighboursThatGoOnWithTheSameAreOne) {
  set(part_of(kFile, 0, 10), Ticket::parked(kFile.first, 1000));
  set(part_of(kFile, 20, 10), Ticket::parked(page_at(kFile, 20), 1020));
  EXPECT_EQ(table.count_of(owner), 2u);
  set(part_of(kFile, 10, 10), Ticket::parked(page_at(kFile, 10), 1010));
  EXPECT_EQ(table.count_of(owner), 1u);
  EXPECT_EQ(table.extent_at(page_at(kFile, 15)), part_of(kFile, 0, 30));
  set(part_of(kFile, 30, 10), Ticket::parked(page_at(kFile, 30), 1031));
  EXPECT_EQ(table.count_of(owner), 2u) << "an image was left out";
  EXPECT_TRUE(given_back.empty());
}

TEST_F(TicketTableTest, OwnersKeepTheirTicketsApart) {
  const TicketOwner other = table.add_owner();
  set(part_of(kFile, 0, 10), Ticket::zero_fill());
  table.set(other, part_of(kFile, 10, 10), Ticket::zero_fill(), TicketTable::keep_nothing);
  EXPECT_EQ(table.count_of(owner), 1u);
  EXPECT_EQ(table.count_of(other), 1u);
  table.end(other, TicketTable::keep_nothing);
  EXPECT_EQ(at(page_at(kFile, 9)), Ticket::zero_fill());
  EXPECT_FALSE(table.find(page_at(kFile, 10)).has_value());
}

TEST_F(TicketTableTest, WhatWasParkedIsGivenBackOnce) {
  set(part_of(kFile, 0, 100), Ticket::parked(kFile.first, 5000));
  set(part_of(kFile, 40, 10), Ticket::stored());
  EXPECT_EQ(given_back, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{5040, 10}}));
  erase(part_of(kFile, 95, 20));
  EXPECT_EQ(given_back.back(), (std::pair<std::uint64_t, std::uint64_t>{5095, 5}));
  const TicketReference lone =
      table.make_lone(owner, kHeapRun.first, Ticket::parked(kHeapRun.first, 77));
  EXPECT_EQ(table.get(lone).reference_of(kHeapRun.first), 77u);
  table.end(owner, collect());
  std::uint64_t images = 0;
  for (const auto& [first, count] : given_back) images += count;
  EXPECT_EQ(images, 101u);
  EXPECT_EQ(table.statistics().tickets, 0u);
  EXPECT_EQ(table.statistics().nodes, 0u);
}

TEST_F(TicketTableTest, ALonePagesImageCosts32Bytes) {
  const std::uint64_t before = table.statistics().bytes;
  std::vector<TicketReference> references;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const base::PageNumber page = page_at(kHeapRun, i * 12'345);
    references.push_back(table.make_lone(owner, page, Ticket::parked(page, i)));
  }
  EXPECT_EQ(table.statistics().bytes - before, 32'000u);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const base::PageNumber page = page_at(kHeapRun, i * 12'345);
    EXPECT_FALSE(table.find(page).has_value()) << "its entry knows it, not the directory";
    EXPECT_EQ(table.take_lone(references[i]).reference_of(page), i);
  }
  EXPECT_EQ(table.count_of(owner), 0u);
  EXPECT_EQ(table.make_lone(owner, kHeapRun.first, Ticket::zero_fill()).number,
            references.back().number)
      << "used again";
  EXPECT_EQ(table.get(TicketTable::kUntouched), Ticket::zero_fill());
}

TEST_F(TicketTableTest, AnEndCostsWhatWasHeldWhateverTheSpace) {
  TicketTable small;
  const base::PageRun gib = space_run(3 * kGiB, kGiB);
  ASSERT_TRUE(small.open(gib).ok());
  const TicketOwner in_small = small.add_owner();
  for (std::uint64_t i = 0; i < 100; ++i) {
    const base::PageRun run = part_of(gib, i * 2000, 1500);
    small.set(in_small, run, Ticket::host_file(run.first, i), TicketTable::keep_nothing);
    set(run, Ticket::host_file(run.first, i));
  }
  EXPECT_EQ(small.statistics().tickets, table.statistics().tickets);
  EXPECT_EQ(small.statistics().nodes, table.statistics().nodes);
  small.end(in_small, TicketTable::keep_nothing);
  table.end(owner, TicketTable::keep_nothing);
  EXPECT_EQ(table.statistics().nodes, 0u);
  small.check_invariants();
}

using TicketTableDeathTest = TicketTableTest;

TEST_F(TicketTableDeathTest, AStaleReferenceAborts) {
  const TicketReference lone =
      table.make_lone(owner, kHeapRun.first, Ticket::parked(kHeapRun.first, 1));
  (void)table.take_lone(lone);
  EXPECT_DEATH((void)table.get(lone), "ticket 2 is of generation 1, and the reference to it of 0");
  (void)table.make_lone(owner, kHeapRun.first, Ticket::parked(kHeapRun.first, 2));
  EXPECT_DEATH((void)table.take_lone(lone), "of generation 1");
  EXPECT_DEATH((void)table.take_lone(TicketTable::kUntouched), "is not a lone page's");
}

TEST_F(TicketTableDeathTest, AnotherOwnersPagesAreNotToBeHad) {
  const TicketOwner other = table.add_owner();
  set(kFile, Ticket::zero_fill());
  EXPECT_DEATH(table.erase(other, part_of(kFile, 3, 1), TicketTable::keep_nothing),
               "is owner 1's, not 2's");
}

}  // namespace
}  // namespace revenant::vm
