#include "vm/lone_pages.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace revenant::vm::internal {

base::Status LonePages::open() {
  REVENANT_TRY(buckets_.reserve(kLastSplit * kBucketBytes, "the page table's lone pages"));
  return dirty_.reserve(2 * kLastSplit / 8, "the page table's bits of dirty pages");
}

const EntryCell* LonePages::find(base::PageNumber page, std::uint64_t hash) const {
  const Slot* bucket = slots_of(growth_.bucket_of(hash));
  for (std::size_t line = 0; line < kBucketBytes; line += kLineBytes) {
    const EntryCell* cell = find_in_line(bucket, line ^ first_line(hash), page);
    if (cell != nullptr) return cell;
  }
  return nullptr;
}

LoneSlot* LonePages::find_tag(BlockTag tag) const {
  Slot* slots = slots_of(growth_.bucket_of(hash_of(tag)));
  for (unsigned i = 0; i < kSlots; ++i) {
    if (!slots[i].is_free() && tag_of(slots[i].page()) == tag) return &slots[i];
  }
  return nullptr;
}

LoneSlot* LonePages::free_slot(BlockTag tag) const {
  const std::uint64_t hash = hash_of(tag);
  return free_slot_in(slots_of(growth_.bucket_of(hash)), hash);
}

LoneSlot* LonePages::free_slot_in(Slot* bucket, std::uint64_t hash) {
  for (unsigned i = 0; i < kSlots; ++i) {
    Slot& slot = bucket[i ^ first_slot(hash)];
    if (slot.is_free()) return &slot;
  }
  return nullptr;
}

LoneSlot* LonePages::first_from(std::uint64_t hash) const {
  Slot* slots = slots_of(growth_.bucket_of(hash));
  Slot* first = nullptr;
  for (unsigned i = 0; i < kSlots; ++i) {
    if (slots[i].is_free() || slots[i].hash() < hash) continue;
    if (first == nullptr || slots[i].hash() < first->hash()) first = &slots[i];
  }
  return first;
}

// Word by word through the bits: a stripe's have words of their own, and so have the two levels
// that buckets are at.
LoneSlot* LonePages::first_dirty(std::uint64_t hash, std::uint64_t last) const {
  for (;;) {
    const Node node = growth_.bucket_of(hash);
    const std::uint64_t bits = dirty_word(node) >> (node % 64);
    if ((bits & 1) != 0) {
      for (LoneSlot* slot = first_from(hash); slot != nullptr;
           slot = first_from(slot->hash() + kHashStep)) {
        if (slot->dirty()) return slot;
        if (BucketGrowth::last_hash(node) - slot->hash() < kHashStep) break;
      }
    }
    const std::uint64_t ahead = bits & ~std::uint64_t{1};
    Node next =
        ahead != 0 ? node + static_cast<unsigned>(std::countr_zero(ahead)) : (node / 64 + 1) * 64;
    next = std::min(next, 2 * growth_.next_split());  // where the children's level ends
    hash = BucketGrowth::last_hash(next - 1) + 1;
    if (hash == 0 || hash > last) return nullptr;
  }
}

void LonePages::fill(LoneSlot& slot, base::PageNumber page, const PageEntry::Words& words) {
  slot.cell.store(words);
  slot.key.store(LoneSlot::key_of(page), std::memory_order_release);
  pages_.fetch_add(1, std::memory_order_relaxed);
  note_dirty(growth_.bucket_of(slot.hash()));
}

void LonePages::change(LoneSlot& slot, const PageEntry::Words& words, WriteSequence& sequence) {
  sequence.write(slot.page(), slot.cell, words);
  note_dirty(growth_.bucket_of(slot.hash()));
}

void LonePages::vacate(LoneSlot& slot, WriteSequence& sequence) {
  const Node bucket = growth_.bucket_of(slot.hash());
  slot.key.store(0, std::memory_order_release);
  sequence.departed();  // I3
  pages_.fetch_sub(1, std::memory_order_relaxed);
  note_dirty(bucket);
}

bool LonePages::crowded() const {
  return 8 * pages_.load(std::memory_order_relaxed) > 17 * growth_.buckets() &&
         growth_.next_split() < kLastSplit;
}

void LonePages::split(Node node, WriteSequence& sequence) {
  const std::uint64_t boundary = BucketGrowth::first_hash(2 * node + 1);
  Slot* left = slots_of(node);
  Slot* right = slots_of(2 * node + 1);
  const auto goes_right = [&](const Slot& slot) {
    return !slot.is_free() && slot.hash() >= boundary;
  };
  for (unsigned i = 0; i < kSlots; ++i) {
    if (goes_right(left[i])) copy(left[i], *free_slot_in(right, left[i].hash()));
  }
  growth_.advance();
  for (unsigned i = 0; i < kSlots; ++i) {
    if (goes_right(left[i])) left[i].key.store(0, std::memory_order_release);
  }
  sequence.departed();  // I3
  gather(left, sequence);
  dirty_word(node) &= ~(std::uint64_t{1} << (node % 64));
  note_dirty(2 * node);
  note_dirty(2 * node + 1);
}

// A reader that looked where the page comes to before it came, and where it was after it left, has
// seen the sequence raised in between.
void LonePages::gather(Slot* bucket, WriteSequence& sequence) {
  const auto at_home = [&](const Slot* slot, std::uint64_t hash) {
    return (static_cast<unsigned>(slot - bucket) ^ first_slot(hash)) < kLineSlots;
  };
  for (unsigned i = 0; i < kSlots; ++i) {
    Slot& slot = bucket[i];
    if (slot.is_free() || at_home(&slot, slot.hash())) continue;
    Slot* nearer = free_slot_in(bucket, slot.hash());
    if (nearer == nullptr || !at_home(nearer, slot.hash())) continue;
    copy(slot, *nearer);
    sequence.departed();
    slot.key.store(0, std::memory_order_release);
    sequence.departed();  // I3
  }
}

void LonePages::copy(const Slot& from, Slot& to) {
  to.cell.store(from.cell.load());
  to.key.store(from.key.load(std::memory_order_relaxed), std::memory_order_release);
}

void LonePages::note_dirty(Node node) {
  const Slot* slots = slots_of(node);
  bool dirty = false;
  for (unsigned i = 0; i < kSlots; ++i) dirty |= !slots[i].is_free() && slots[i].dirty();
  const std::uint64_t bit = std::uint64_t{1} << (node % 64);
  dirty_word(node) = (dirty_word(node) & ~bit) | (dirty ? bit : 0);  // I2
}

void LonePages::check_bucket(Node node) const {
  const Slot* slots = slots_of(node);
  bool dirty = false;
  for (unsigned i = 0; i < kSlots; ++i) {
    if (slots[i].is_free()) continue;
    REVENANT_CHECK(growth_.bucket_of(slots[i].hash()) == node);  // I1
    REVENANT_CHECK(find_tag(tag_of(slots[i].page())) == &slots[i],
                   "two lone pages of one block");  // I1
    REVENANT_CHECK(PageEntry::is_entry(slots[i].cell.load()));
    dirty |= slots[i].dirty();
  }
  REVENANT_CHECK(((dirty_word(node) >> (node % 64) & 1) != 0) == dirty);  // I2
}

}  // namespace revenant::vm::internal
