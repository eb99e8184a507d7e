#include "vm/page_entry.h"

#include <gtest/gtest.h>

namespace revenant::vm {
namespace {

using base::Epoch;

PageEntry active_entry() {
  PageEntry entry;
  entry.take<touch>();
  return entry;
}

TEST(PageEntry, StartsUntouchedCleanAndCold) {
  const PageEntry entry;
  EXPECT_EQ(entry.state(), PageState::kUntouched);
  EXPECT_FALSE(entry.dirty());
  EXPECT_EQ(entry.hash(), ContentHash{});
  EXPECT_EQ(entry.heat(Epoch{1}), 0);
  EXPECT_TRUE(PageEntry::is_entry(entry.words()));
  EXPECT_FALSE(PageEntry::is_entry(PageEntry::Words{}));
}

TEST(PageEntry, FieldsDoNotDisturbEachOther) {
  PageEntry entry = active_entry();
  const TicketReference ticket{.number = (1u << 28) - 1, .generation = (1u << 12) - 1};
  entry.set_ticket(ticket);
  entry.mark_dirty(Epoch{2047});
  entry.set_hash({.low = ~0ull, .high = 1});
  EXPECT_EQ(entry.state(), PageState::kActive);
  EXPECT_TRUE(entry.dirty());
  EXPECT_EQ(entry.ticket(), ticket);
  EXPECT_EQ(entry.hash(), (ContentHash{.low = ~0ull, .high = 1}));
  EXPECT_EQ(entry.heat(Epoch{2047}), 1);
  entry.set_ticket({});
  EXPECT_TRUE(entry.dirty());
  EXPECT_EQ(entry.ticket(), TicketReference{});
  EXPECT_EQ(PageEntry::from_words(entry.words()), entry);
}

TEST(PageEntryDeathTest, ATicketThatDoesNotFitIsABug) {
  PageEntry entry;
  EXPECT_DEATH(entry.set_ticket({.number = 1u << 28}), "does not fit 28 bits");
  EXPECT_DEATH(entry.set_ticket({.generation = 1u << 12}), "does not fit 12 bits");
}

TEST(PageEntry, HeatShiftsWithTheEpochs) {
  PageEntry entry = active_entry();
  entry.mark_dirty(Epoch{100});
  entry.mark_dirty(Epoch{100});
  EXPECT_EQ(entry.heat(Epoch{100}), 0b1);
  entry.mark_dirty(Epoch{101});
  entry.mark_dirty(Epoch{103});
  EXPECT_EQ(entry.heat(Epoch{103}), 0b1101);
  EXPECT_EQ(entry.heat(Epoch{107}), 0b11010000);
  EXPECT_EQ(entry.heat(Epoch{110}), 0b10000000);
  EXPECT_EQ(entry.heat(Epoch{111}), 0);
}

TEST(PageEntry, HeatOutlivesTheWrapOfItsBeat) {
  PageEntry entry = active_entry();
  entry.mark_dirty(Epoch{2047});
  entry.mark_dirty(Epoch{2048});
  EXPECT_EQ(entry.heat(Epoch{2049}), 0b110);
}

TEST(PageEntry, CommittedContentIsCleanAndKeepsItsHeat) {
  PageEntry entry = active_entry();
  entry.mark_dirty(Epoch{5});
  entry.mark_clean({.low = 1, .high = 2});
  EXPECT_FALSE(entry.dirty());
  EXPECT_EQ(entry.hash(), (ContentHash{.low = 1, .high = 2}));
  EXPECT_EQ(entry.heat(Epoch{5}), 1);
}

TEST(PageEntry, DiscardedContentIsForgotten) {
  PageEntry entry = active_entry();
  entry.mark_dirty(Epoch{5});
  entry.set_hash({.low = 1, .high = 2});
  entry.set_ticket({.number = 9, .generation = 3});
  entry.take<discard_active>();
  EXPECT_EQ(entry.state(), PageState::kUntouched);
  EXPECT_FALSE(entry.dirty());
  EXPECT_EQ(entry.hash(), ContentHash{});
  EXPECT_EQ(entry.heat(Epoch{5}), 0);
  EXPECT_EQ(entry.ticket(), TicketReference{});
}

TEST(PageEntry, IsDiscardedFromWhereverItIs) {
  PageEntry stored = PageEntry::stored();
  stored.discard();
  EXPECT_EQ(stored.state(), PageState::kUntouched);
  PageEntry standby = active_entry();
  standby.take<trim_clean>();
  standby.discard();
  EXPECT_EQ(standby.state(), PageState::kUntouched);
  PageEntry dirty = active_entry();
  dirty.mark_dirty(Epoch{5});
  const auto expect_discarded = [](PageEntry entry) {
    entry.discard();
    EXPECT_EQ(entry, PageEntry());
    entry.discard();
    EXPECT_EQ(entry, PageEntry());
  };
  expect_discarded(dirty);
  dirty.take<trim_modified>();
  expect_discarded(dirty);
  dirty.take<begin_parking>();
  expect_discarded(dirty);
  dirty.take<end_parking>();
  expect_discarded(dirty);
}

TEST(PageEntry, DirtyContentTravelsToTheStoreAndBack) {
  PageEntry entry = active_entry();
  entry.mark_dirty(Epoch{1});
  entry.take<trim_modified>();
  entry.take<begin_parking>();
  entry.take<end_parking>();
  EXPECT_TRUE(entry.dirty());
  entry.take<unpark>();
  EXPECT_TRUE(entry.dirty());
}

TEST(PageEntryDeathTest, DirtyContentIsNeverGivenUp) {
  PageEntry entry = active_entry();
  entry.mark_dirty(Epoch{1});
  EXPECT_DEATH(entry.take<trim_clean>(), "a dirty page became standby");
  entry.take<trim_modified>();
  EXPECT_DEATH(entry.take<commit_modified>(), "a dirty page became standby");
  entry.take<begin_parking>();
  entry.take<end_parking>();
  EXPECT_DEATH(entry.take<commit_parked>(), "a dirty page became stored");
}

TEST(PageEntryDeathTest, PagesWithoutContentAreNeitherWrittenNorImaged) {
  PageEntry entry;
  EXPECT_DEATH(entry.mark_dirty(Epoch{1}), "a page that is untouched was written");
  EXPECT_DEATH(entry.mark_clean({}), "a page that is untouched has an image");
}

}  // namespace
}  // namespace revenant::vm
