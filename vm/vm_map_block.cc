#include "vm/vm_map_block.h"

#include <bit>

#include "base/check.h"

namespace revenant::vm::internal {

void Block::enter(BlockTag tag, std::uint16_t members) {
  REVENANT_CHECK(this->tag() == kNoTag, "a block in the table enters it again");  // I4
  REVENANT_CHECK(std::popcount(members) <= static_cast<int>(room_of(shape_)));
  for (unsigned slot = 0; slot < room_of(shape_); ++slot) cells()[slot].store({});
  members_.store(members, std::memory_order_release);
  present_ = 0;
  dirty_ = 0;
  // The tag comes last: until it stands, a late reader takes the block for another one.
  tag_.store(tag, std::memory_order_release);
}

void Block::enter_as(const Block& other, std::uint16_t members) {
  REVENANT_CHECK(tag() == kNoTag, "a block in the table enters it again");  // I4
  REVENANT_CHECK(std::popcount(members) <= static_cast<int>(room_of(shape_)));
  for (unsigned slot = 0; slot < room_of(shape_); ++slot) cells()[slot].store({});
  for (unsigned index = 0; index < kBlockPages; ++index) {
    if (!other.has_member(index)) continue;
    cells()[slot_in(members, index)].store(other.words_at(index));
  }
  members_.store(members, std::memory_order_release);
  present_ = other.present_;
  dirty_ = other.dirty_;
  tag_.store(other.tag(), std::memory_order_release);
}

void Block::leave() {
  tag_.store(kNoTag, std::memory_order_release);
  // By two, in one store: readers that took the old tag read again, and none finds a writer inside.
  const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 2, std::memory_order_release);  // I3
}

void Block::write_entry(base::PageNumber page, const PageEntry::Words& words, EntryDraft& draft) {
  const unsigned index = index_of(page);
  REVENANT_DCHECK(tag() == tag_of(page) && has_member(index));  // I1
  EntryCell& cell = cells()[slot_in(members(), index)];
  draft.page.store(page.value, std::memory_order_release);
  draft.before.store(cell.load());
  const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 1, std::memory_order_release);  // I3
  cell.store(words);
  sequence_.store(sequence + 2, std::memory_order_release);

  const auto others = static_cast<std::uint16_t>(~bit_of(index));
  const bool present = PageEntry::is_entry(words);
  const bool dirty = present && PageEntry::from_words(words).dirty();
  present_ = static_cast<std::uint16_t>((present_ & others) | (present ? bit_of(index) : 0));  // I1
  dirty_ = static_cast<std::uint16_t>((dirty_ & others) | (dirty ? bit_of(index) : 0));        // I2
}

void Block::check_invariants() const {
  const std::uint16_t members = this->members();
  REVENANT_CHECK((sequence_.load(std::memory_order_relaxed) & 1) == 0);  // I3
  REVENANT_CHECK(tag() != kNoTag);                                       // I4
  REVENANT_CHECK(std::popcount(members) <= static_cast<int>(room_of(shape_)));
  REVENANT_CHECK((present_ & ~members) == 0, "present %#x of members %#x", present_,
                 members);  // I1
  for (unsigned index = 0; index < kBlockPages; ++index) {
    if (!has_member(index)) continue;
    const PageEntry::Words words = words_at(index);
    const bool present = PageEntry::is_entry(words);
    REVENANT_CHECK(present == ((present_ & bit_of(index)) != 0));  // I1
    const bool dirty = present && PageEntry::from_words(words).dirty();
    REVENANT_CHECK(dirty == ((dirty_ & bit_of(index)) != 0));  // I2
  }
}

}  // namespace revenant::vm::internal
