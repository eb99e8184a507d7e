#include "vm/vm_map_block.h"

#include <bit>

#include "base/check.h"

namespace revenant::vm::internal {

void Block::enter(BlockTag tag, PageSet members) {
  REVENANT_CHECK(tag_ == kNoTag, "a block in the table enters it again");  // I3
  REVENANT_CHECK(std::popcount(members) <= static_cast<int>(room_of(shape_)));
  for (unsigned cell = 0; cell < room_of(shape_); ++cell) cells()[cell].store({});
  members_.store(members, std::memory_order_release);
  present_ = 0;
  dirty_ = 0;
  tag_ = tag;
}

void Block::enter_as(const Block& other, PageSet members) {
  enter(other.tag_, members);
  for (PageSet left = other.present_; left != 0; left &= left - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(left));
    cells()[cell_of(members, index)].store(other.read(index));
  }
  present_ = other.present_;
  dirty_ = other.dirty_;
}

void Block::put_before_linked(unsigned index, const PageEntry::Words& words) {
  cells()[cell_of(members_.load(std::memory_order_relaxed), index)].store(words);
  note(index, words);
}

void Block::leave() { tag_ = kNoTag; }  // I3

void Block::write(base::PageNumber page, const PageEntry::Words& words, WriteSequence& sequence) {
  const unsigned index = index_of(page);
  REVENANT_DCHECK(tag_ == tag_of(page) && has_room_for(index));
  const PageSet members = members_.load(std::memory_order_relaxed);
  sequence.write(page, cells()[cell_of(members, index)], words);
  note(index, words);
}

void Block::note(unsigned index, const PageEntry::Words& words) {
  const PageSet bit = bit_of(index);
  const bool present = PageEntry::is_entry(words);
  const bool dirty = present && PageEntry::from_words(words).dirty();
  present_ = (present_ & ~bit) | (present ? bit : 0);  // I1
  dirty_ = (dirty_ & ~bit) | (dirty ? bit : 0);        // I2
}

void Block::check_invariants() const {
  const PageSet members = members_.load(std::memory_order_relaxed);
  REVENANT_CHECK(tag_ != kNoTag);  // I3
  REVENANT_CHECK(std::popcount(members) <= static_cast<int>(room_of(shape_)));
  REVENANT_CHECK((members == kAllMembers) == (shape_ == BlockShape::kFull));
  REVENANT_CHECK((present_ & ~members) == 0, "present %#llx of members %#llx",
                 static_cast<unsigned long long>(present_),
                 static_cast<unsigned long long>(members));  // I1
  for (unsigned index = 0; index < kBlockPages; ++index) check_entry(index);
}

void Block::check_entry(unsigned index) const {
  const PageEntry::Words words = read(index);
  const bool present = PageEntry::is_entry(words);
  REVENANT_CHECK(present == has(index));  // I1
  const bool dirty = present && PageEntry::from_words(words).dirty();
  REVENANT_CHECK(dirty == ((dirty_ & bit_of(index)) != 0));  // I2
}

}  // namespace revenant::vm::internal
