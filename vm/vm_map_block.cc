#include "vm/vm_map_block.h"

#include <bit>

#include "base/check.h"

namespace revenant::vm::internal {

void Block::clear_cells(std::uint16_t members) {
  REVENANT_CHECK(tag_ == kNoTag, "a block in the table enters it again");  // I3
  REVENANT_CHECK(std::popcount(members) <= static_cast<int>(room_of(shape_)));
  for (unsigned cell = 0; cell < room_of(shape_); ++cell) cells()[cell].store({});
  members_.store(members, std::memory_order_release);
}

void Block::enter(BlockTag tag, std::uint16_t members) {
  clear_cells(members);
  present_ = 0;
  dirty_ = 0;
  tag_ = tag;
}

void Block::enter_as(const Block& other, std::uint16_t members) {
  clear_cells(members);
  for (unsigned index = 0; index < kBlockPages; ++index) {
    if (other.has(index)) cells()[cell_of(members, index)].store(other.read(index));
  }
  present_ = other.present_;
  dirty_ = other.dirty_;
  tag_ = other.tag_;
}

void Block::leave() { tag_ = kNoTag; }  // I3

void Block::write(base::PageNumber page, const PageEntry::Words& words, WriteSequence& sequence) {
  const unsigned index = index_of(page);
  REVENANT_DCHECK(tag_ == tag_of(page) && has_room_for(index));
  const std::uint16_t members = members_.load(std::memory_order_relaxed);
  sequence.write(page, cells()[cell_of(members, index)], words);

  const auto others = static_cast<std::uint16_t>(~bit_of(index));
  const bool present = PageEntry::is_entry(words);
  const bool dirty = present && PageEntry::from_words(words).dirty();
  present_ = static_cast<std::uint16_t>((present_ & others) | (present ? bit_of(index) : 0));  // I1
  dirty_ = static_cast<std::uint16_t>((dirty_ & others) | (dirty ? bit_of(index) : 0));        // I2
}

void Block::check_invariants() const {
  const std::uint16_t members = members_.load(std::memory_order_relaxed);
  REVENANT_CHECK(tag_ != kNoTag);  // I3
  REVENANT_CHECK(std::popcount(members) <= static_cast<int>(room_of(shape_)));
  REVENANT_CHECK((members == kAllMembers) == (shape_ == BlockShape::kFull));
  REVENANT_CHECK((present_ & ~members) == 0, "present %#x of members %#x", present_,
                 members);  // I1
  for (unsigned index = 0; index < kBlockPages; ++index) {
    const PageEntry::Words words = read(index);
    const bool present = PageEntry::is_entry(words);
    REVENANT_CHECK(present == has(index));  // I1
    const bool dirty = present && PageEntry::from_words(words).dirty();
    REVENANT_CHECK(dirty == ((dirty_ & bit_of(index)) != 0));  // I2
  }
}

}  // namespace revenant::vm::internal
