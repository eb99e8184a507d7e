#include "vm/vm_map.h"

#include <bit>

#include "base/check.h"

namespace revenant::vm {

using internal::Block;
using internal::BlockLink;
using internal::BlockRef;
using internal::BlockShape;
using internal::BlockTag;
using internal::BucketTree;
using internal::hash_of;
using internal::Stripe;

base::Status VmMap::open() {
  REVENANT_TRY(buckets_.open());
  return arena_.open();
}

std::optional<PageEntry> VmMap::find_further(base::PageNumber page,
                                             std::uint64_t hash) const noexcept {
  const internal::WriteSequence& sequence = stripe_of(hash).sequence;
  for (;;) {
    const std::uint64_t begun = sequence.begin();
    const BucketTree::Node bucket = buckets_.bucket_of(hash);
    BlockLink link = buckets_.head(bucket).load(std::memory_order_acquire);
    while (link && !link.leads_to(hash)) {
      link = arena_.block(link.ref()).next.load(std::memory_order_acquire);
    }
    PageEntry::Words words{};
    if (link) {
      words = arena_.block(link.ref()).read(internal::index_of(page));
      sequence.correct(begun, page, words);
    } else if (buckets_.bucket_of(hash) != bucket) {
      continue;  // the bucket was split, and the search may have come too late for the right half
    }
    if (!sequence.unchanged(begun)) continue;
    if (!PageEntry::is_entry(words)) return std::nullopt;
    return PageEntry::from_words(words);
  }
}

bool VmMap::insert(base::PageNumber page, const PageEntry& entry) {
  return !change(page, IfAbsent::kMake, IfPresent::kLeave, [&](PageEntry& made) { made = entry; });
}

bool VmMap::update(base::PageNumber page, Change change_entry) {
  return change(page, IfAbsent::kLeave, IfPresent::kChange, change_entry);
}

bool VmMap::upsert(base::PageNumber page, Change change_entry) {
  return !change(page, IfAbsent::kMake, IfPresent::kChange, change_entry);
}

bool VmMap::change(base::PageNumber page, IfAbsent if_absent, IfPresent if_present,
                   Change change_entry) {
  const BlockTag tag = internal::tag_of(page);
  const unsigned index = internal::index_of(page);
  Stripe& stripe = stripe_of(hash_of(tag));
  bool present = false;
  {
    const base::LockGuard guard(stripe.lock);
    const Place place = locate(tag);
    present = place.ref != 0 && arena_.block(place.ref).has(index);
    if (present && if_present == IfPresent::kLeave) return true;
    if (!present && if_absent == IfAbsent::kLeave) return false;
    PageEntry entry;
    if (present) entry = PageEntry::from_words(arena_.block(place.ref).read(index));
    change_entry(entry);
    const std::uint16_t wanted = internal::bit_of(index);
    write(stripe, make_room(stripe, place, page, wanted), page, entry.words());
  }
  if (!present) grow();
  return present;
}

bool VmMap::erase(base::PageNumber page) {
  const BlockTag tag = internal::tag_of(page);
  Stripe& stripe = stripe_of(hash_of(tag));
  const base::LockGuard guard(stripe.lock);
  const Place place = locate(tag);
  if (place.ref == 0) return false;
  Block& block = arena_.block(place.ref);
  if (!block.has(internal::index_of(page))) return false;
  write(stripe, place.ref, page, {});
  if (block.present() == 0) remove_block(stripe, place);
  return true;
}

void VmMap::remove_block(Stripe& stripe, Place place) {
  const Block& block = arena_.block(place.ref);
  place.link->store(block.next.load(std::memory_order_relaxed), std::memory_order_release);
  stripe.release_block(arena_, place.ref);
  blocks_.fetch_sub(1, std::memory_order_relaxed);
}

void VmMap::change_run(base::PageRun run, RunChange change) {
  REVENANT_CHECK(block_part(run) == run, "%zu pages at %#zx lie in more than one block",
                 run.count.value, run.first.value);
  const BlockTag tag = internal::tag_of(run.first);
  Stripe& stripe = stripe_of(hash_of(tag));
  RunEntries entries(run);
  bool added = false;
  {
    const base::LockGuard guard(stripe.lock);
    const Place place = locate(tag);
    for (base::PageNumber page = run.first; place.ref != 0 && page < run.end(); ++page) {
      entries.words_[internal::index_of(page)] =
          arena_.block(place.ref).read(internal::index_of(page));
    }
    change(entries);
    added = write_run(stripe, place, entries);
  }
  if (added) grow();
}

bool VmMap::write_run(Stripe& stripe, Place place, RunEntries& entries) {
  std::uint16_t present = 0;
  for (unsigned index = 0; index < internal::kBlockPages; ++index) {
    const bool is_present = PageEntry::is_entry(entries.words_[index]);
    present |= is_present ? entries.changed_ & internal::bit_of(index) : 0;
  }
  const bool added = place.ref == 0 && present != 0;
  for (base::PageNumber page = entries.run_.first; page < entries.run_.end(); ++page) {
    const unsigned index = internal::index_of(page);
    if ((entries.changed_ & internal::bit_of(index)) == 0) continue;
    if ((present & internal::bit_of(index)) != 0) {
      place.ref = make_room(stripe, place, page, present);
    } else if (place.ref == 0 || !arena_.block(place.ref).has(index)) {
      continue;
    }
    write(stripe, place.ref, page, entries.words_[index]);
  }
  if (place.ref != 0 && arena_.block(place.ref).present() == 0) remove_block(stripe, place);
  return added;
}

VmMap::Place VmMap::locate(BlockTag tag) const {
  const std::uint64_t hash = hash_of(tag);
  std::atomic<BlockLink>* link = &buckets_.head(buckets_.bucket_of(hash));
  for (;;) {
    const BlockLink next = link->load(std::memory_order_relaxed);
    if (!next || !next.is_before(hash)) {  // I2
      return {link, next && next.leads_to(hash) ? next.ref() : 0};
    }
    link = &arena_.block(next.ref()).next;
  }
}

BlockRef VmMap::make_room(Stripe& stripe, Place place, base::PageNumber page,
                          std::uint16_t wanted) {
  if (place.ref == 0) return add_block(stripe, place, page, wanted);
  if (arena_.block(place.ref).has_room_for(internal::index_of(page))) return place.ref;
  return widen_block(stripe, place, page, wanted);
}

namespace {

// Room for the wanted pages, filled up with those that are likely to come: the ones that follow.
std::uint16_t members_for(std::uint16_t wanted, unsigned index, BlockShape shape) {
  const int room = static_cast<int>(internal::room_of(shape));
  for (unsigned step = 1; std::popcount(wanted) < room; ++step) {
    wanted |= internal::bit_of((index + step) % internal::kBlockPages);
  }
  return wanted;
}

BlockShape shape_for(std::uint16_t members) {
  const int count = std::popcount(members);
  for (const BlockShape shape : {BlockShape::kLone, BlockShape::kFew}) {
    if (count <= static_cast<int>(internal::room_of(shape))) return shape;
  }
  return BlockShape::kFull;
}

}  // namespace

BlockRef VmMap::add_block(Stripe& stripe, Place place, base::PageNumber page,
                          std::uint16_t wanted) {
  const BlockShape shape = shape_for(wanted);
  const BlockRef ref = stripe.take_block(arena_, shape);
  Block& block = arena_.block(ref);
  block.enter(internal::tag_of(page), members_for(wanted, internal::index_of(page), shape));
  block.next.store(place.link->load(std::memory_order_relaxed), std::memory_order_release);
  place.link->store(block.link(ref), std::memory_order_release);
  blocks_.fetch_add(1, std::memory_order_relaxed);
  return ref;
}

// The wider block is complete before a link leads to it, and equal to the old one until that has
// left: a reader may use either.
BlockRef VmMap::widen_block(Stripe& stripe, Place place, base::PageNumber page,
                            std::uint16_t wanted) {
  Block& old = arena_.block(place.ref);
  const unsigned index = internal::index_of(page);
  wanted |= old.present() | internal::bit_of(index);
  const BlockShape shape = shape_for(wanted);
  const BlockRef ref = stripe.take_block(arena_, shape);
  Block& wider = arena_.block(ref);
  wider.enter_as(old, members_for(wanted, index, shape));
  wider.next.store(old.next.load(std::memory_order_relaxed), std::memory_order_release);
  if (old.dirty() != 0) stripe.replace_dirty(arena_, place.ref, ref);
  place.link->store(wider.link(ref), std::memory_order_release);
  stripe.release_block(arena_, place.ref);
  return ref;
}

void VmMap::write(Stripe& stripe, BlockRef ref, base::PageNumber page,
                  const PageEntry::Words& words) {
  Block& block = arena_.block(ref);
  const std::uint16_t present = block.present();
  const std::uint16_t dirty = block.dirty();
  block.write(page, words, stripe.sequence);
  stripe.entries += static_cast<std::uint64_t>(std::popcount(block.present()));
  stripe.entries -= static_cast<std::uint64_t>(std::popcount(present));  // I3
  if (block.dirty() != dirty) {
    stripe.dirty_entries += static_cast<std::uint64_t>(std::popcount(block.dirty()));
    stripe.dirty_entries -= static_cast<std::uint64_t>(std::popcount(dirty));  // I3
    if (dirty == 0) stripe.link_dirty(arena_, ref);
    if (block.dirty() == 0) stripe.unlink_dirty(arena_, ref);
  }
#ifndef NDEBUG
  block.check_invariants();
#endif
}

// Two buckets a block: an independent hash then meets another block in one search of four, and the
// heads cost 8 bytes a block. A call splits a few at most: nobody pays for the whole table.
void VmMap::grow() {
  constexpr int kSplitsAtOnce = 4;
  for (int i = 0; i < kSplitsAtOnce; ++i) {
    const BucketTree::Node node = buckets_.next_split();
    const std::uint64_t blocks = blocks_.load(std::memory_order_relaxed);
    if (2 * blocks <= buckets_.buckets() || node >= BucketTree::kLastSplit) return;
    split(node);
  }
}

// The steps are those of bucket_tree.h. Does nothing if another thread has split the node.
void VmMap::split(BucketTree::Node node) {
  Stripe& stripe = stripe_of(BucketTree::first_hash(node));
  const base::LockGuard guard(stripe.lock);
  if (buckets_.next_split() != node) return;
  const std::uint64_t boundary = BucketTree::first_hash(2 * node + 1);
  const BlockLink first = buckets_.head(node).load(std::memory_order_relaxed);
  std::atomic<BlockLink>* end_of_left = nullptr;
  BlockLink right = first;
  while (right && right.is_before(boundary)) {
    end_of_left = &arena_.block(right.ref()).next;
    right = end_of_left->load(std::memory_order_relaxed);
  }
  const BlockLink left = end_of_left == nullptr ? BlockLink() : first;
  buckets_.head(2 * node).store(left, std::memory_order_release);
  buckets_.head(2 * node + 1).store(right, std::memory_order_release);
  buckets_.advance();
  if (end_of_left != nullptr) end_of_left->store(BlockLink(), std::memory_order_release);
}

}  // namespace revenant::vm
