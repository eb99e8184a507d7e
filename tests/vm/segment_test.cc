// Who answers for a page: segments, and the arithmetic of stack slots.
#include "vm/segment.h"

#include <gtest/gtest.h>

#include <string>

#include "vm/stack_slots.h"

namespace revenant::vm {
namespace {

TEST(SegmentTableTest, FindsTheSegmentThatHoldsThePage) {
  const StoredRule rule;
  SegmentTable table;
  EXPECT_EQ(table.find(kHeapRun.first), nullptr);
  ASSERT_TRUE(table.add({"heap", kHeapRun, &rule}).ok());
  ASSERT_TRUE(table.add({"world", kWorldRun, &rule}).ok());
  EXPECT_STREQ(table.find(kHeapRun.first)->name, "heap");
  EXPECT_STREQ(table.find(kWorldRun.end() - base::PageCount{1})->name, "world");
  EXPECT_EQ(table.find(kWorldRun.end()), nullptr);
  EXPECT_EQ(table.ticket_of(kHeapRun.first), Ticket::stored());
  EXPECT_EQ(table.ticket_of(kWorldRun.end()), Ticket::forbidden(ForbiddenReason::kUnmapped));
}

TEST(SegmentTableTest, RefusesOverlapsAndOneTooMany) {
  const StoredRule rule;
  SegmentTable table;
  for (std::uint64_t i = 0; i < SegmentTable::kCapacity; ++i) {
    ASSERT_TRUE(table.add({"piece", space_run(i * kGiB, kMiB), &rule}).ok());
    const base::Status again = table.add({"again", space_run(i * kGiB + 4096, kMiB), &rule});
    EXPECT_EQ(again.error().code, base::ErrorCode::kUsage);
    EXPECT_NE(again.error().message.find("'again' overlaps the segment 'piece'"),
              std::string::npos);
  }
  EXPECT_FALSE(table.add({"more", space_run(100 * kGiB, kMiB), &rule}).ok());
  table.clear();
  EXPECT_EQ(table.find(kSpaceRun.first), nullptr);
}

TEST(SegmentTableTest, ASegmentThatEndsMakesRoom) {
  const StoredRule rule;
  SegmentTable table;
  for (std::uint64_t i = 0; i < SegmentTable::kCapacity; ++i) {
    ASSERT_TRUE(table.add({"piece", space_run(i * kGiB, kMiB), &rule}).ok());
  }
  const base::PageRun third = space_run(3 * kGiB, kMiB);
  EXPECT_STREQ(table.remove(third.first).name, "piece");
  EXPECT_EQ(table.find(third.first), nullptr);
  ASSERT_TRUE(table.add({"later", third, &rule}).ok());
  EXPECT_STREQ(table.find(third.first)->name, "later");
}

TEST(StackSlotRuleTest, GuardsLieAtTheLowEndOfEachSlot) {
  StackSlotRule rule;
  // A slot that does not divide its region leaves a rest that is never given out.
  rule.set_slot_size(2, base::PageCount::holding(std::size_t{320} * 1024));
  rule.set_slot_size(15, base::PageCount::holding(kStackRegionSize));
  const std::uint64_t slots = rule.slots_in(2);
  EXPECT_EQ(slots, kStackRegionSize / (std::size_t{320} * 1024));
  for (const std::uint64_t index : {std::uint64_t{0}, slots / 2, slots - 1}) {
    const StackSlotRule::Slot slot = rule.slot_at(2, index);
    EXPECT_EQ(slot.guard.count, kStackGuard);
    EXPECT_EQ(slot.stack.first, slot.guard.end());
    EXPECT_EQ(slot.stack.count.bytes(), 256u * 1024);
    const Ticket guard = Ticket::forbidden(ForbiddenReason::kGuard);
    EXPECT_EQ(rule.ticket_of(slot.guard.first), guard);
    EXPECT_EQ(rule.ticket_of(slot.stack.first - base::PageCount{1}), guard);
    EXPECT_EQ(rule.ticket_of(slot.stack.first), Ticket::stored());
    EXPECT_EQ(rule.ticket_of(slot.stack.end() - base::PageCount{1}), Ticket::stored());
  }
  const Ticket unmapped = Ticket::forbidden(ForbiddenReason::kUnmapped);
  EXPECT_EQ(rule.ticket_of(rule.slot_at(2, slots - 1).stack.end()), unmapped);
  EXPECT_EQ(rule.ticket_of(kStackRun.first), unmapped) << "region 0 is unused";
  EXPECT_EQ(rule.ticket_of(kStackRun.end() - base::PageCount{1}), Ticket::stored());
}

TEST(StackSlotRuleDeathTest, ASlotSizeNeverChanges) {
  StackSlotRule rule;
  rule.set_slot_size(0, base::PageCount::holding(kMiB));
  rule.set_slot_size(0, base::PageCount::holding(kMiB));
  EXPECT_DEATH(rule.set_slot_size(0, base::PageCount::holding(2 * kMiB)), "region 0 had slots");
}

}  // namespace
}  // namespace revenant::vm
