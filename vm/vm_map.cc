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
using internal::EntryCell;
using internal::hash_of;
using internal::LonePages;
using internal::LoneSlot;
using internal::PageSet;
using internal::Stripe;

base::Status VmMap::open() {
  REVENANT_TRY(buckets_.open());
  REVENANT_TRY(lones_.open());
  REVENANT_TRY(space_blocks_.open());
  return arena_.open();
}

std::optional<PageEntry> VmMap::find_further(base::PageNumber page,
                                             std::uint64_t hash) const noexcept {
  const internal::WriteSequence& sequence = stripe_of(hash).sequence;
  for (;;) {
    const std::uint64_t begun = sequence.begin();
    const BucketTree::Node bucket = buckets_.bucket_of(hash);
    const LonePages::Node lone_bucket = lones_.bucket_of(hash);
    PageEntry::Words words{};
    if (const EntryCell* cell = lones_.find(page, hash)) {
      words = cell->load();
      sequence.correct(begun, page, words);
    } else {
      BlockLink link = buckets_.head(bucket).load(std::memory_order_acquire);
      while (link && !link.leads_to(hash)) {
        link = arena_.block(link.ref()).next.load(std::memory_order_acquire);
      }
      if (link) {
        const unsigned index = internal::index_of(page);
        words = link.full() ? arena_.cell(internal::cells_of(link.ref()), index).load()
                            : arena_.block(link.ref()).read(index);
        sequence.correct(begun, page, words);
      } else if (buckets_.bucket_of(hash) != bucket || lones_.bucket_of(hash) != lone_bucket) {
        continue;  // a bucket was split, and the search may have come too late for the right half
      }
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
  Stripe& stripe = stripe_of(hash_of(tag));
  bool present = false;
  {
    const base::LockGuard guard(stripe.lock);
    Place place = locate(tag);
    std::optional<PageEntry> entry = entry_at(place, page);
    present = entry.has_value();
    if (present && if_present == IfPresent::kLeave) return true;
    if (!present && if_absent == IfAbsent::kLeave) return false;
    if (!present) entry.emplace();
    change_entry(*entry);
    put(stripe, place, page, entry->words(), internal::bit_of(internal::index_of(page)));
  }
  if (!present) grow();
  return present;
}

bool VmMap::erase(base::PageNumber page) {
  const BlockTag tag = internal::tag_of(page);
  Stripe& stripe = stripe_of(hash_of(tag));
  const base::LockGuard guard(stripe.lock);
  Place place = locate(tag);
  if (!entry_at(place, page)) return false;
  remove(stripe, place, page);
  tidy_up(stripe, place);
  return true;
}

void VmMap::change_run(base::PageRun run, RunChange change) {
  REVENANT_CHECK(block_part(run) == run, "%zu pages at %#zx lie in more than one part of a block",
                 run.count.value, run.first.value);
  const BlockTag tag = internal::tag_of(run.first);
  Stripe& stripe = stripe_of(hash_of(tag));
  RunEntries entries(run);
  bool added = false;
  {
    const base::LockGuard guard(stripe.lock);
    const Place place = locate(tag);
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      const std::optional<PageEntry> entry = entry_at(place, page);
      if (entry) entries.words_[page.value % kRunPages] = entry->words();
    }
    change(entries);
    added = write_run(stripe, place, entries);
  }
  if (added) grow();
}

bool VmMap::write_run(Stripe& stripe, Place place, RunEntries& entries) {
  PageSet wanted = 0;
  for (base::PageNumber page = entries.run_.first; page < entries.run_.end(); ++page) {
    if (!entries.changed(page) || !entries.has(page)) continue;
    wanted |= internal::bit_of(internal::index_of(page));
  }
  const std::uint64_t before = stripe.entries;
  for (base::PageNumber page = entries.run_.first; page < entries.run_.end(); ++page) {
    if (!entries.changed(page)) continue;
    if (entries.has(page)) {
      put(stripe, place, page, entries.words_[page.value % kRunPages], wanted);
    } else if (entry_at(place, page)) {
      remove(stripe, place, page);
    }
  }
  tidy_up(stripe, place);
  return stripe.entries > before;
}

VmMap::Place VmMap::locate(BlockTag tag) const {
  const std::uint64_t hash = hash_of(tag);
  std::atomic<BlockLink>* link = &buckets_.head(buckets_.bucket_of(hash));
  for (;;) {
    const BlockLink next = link->load(std::memory_order_relaxed);
    if (!next || !next.is_before(hash)) {  // I2
      if (next && next.leads_to(hash)) return {link, next.ref(), nullptr};
      return {link, 0, lones_.find_tag(tag)};
    }
    link = &arena_.block(next.ref()).next;
  }
}

std::optional<PageEntry> VmMap::entry_at(Place place, base::PageNumber page) const {
  PageEntry::Words words{};
  if (place.ref != 0) {
    words = arena_.block(place.ref).read(internal::index_of(page));
  } else if (place.lone != nullptr && place.lone->page() == page) {
    words = place.lone->cell.load();
  }
  if (!PageEntry::is_entry(words)) return std::nullopt;
  return PageEntry::from_words(words);
}

void VmMap::put(Stripe& stripe, Place& place, base::PageNumber page, const PageEntry::Words& words,
                PageSet wanted) {
  const bool alone = wanted == internal::bit_of(internal::index_of(page));
  if (place.ref == 0 && alone) {
    if (place.lone == nullptr) place.lone = lones_.free_slot(internal::tag_of(page));
    if (place.lone != nullptr && (place.lone->is_free() || place.lone->page() == page)) {
      write_lone(stripe, *place.lone, page, words);
      return;
    }
  }
  place.ref = make_room(stripe, place, page, wanted);
  place.lone = nullptr;
  write(stripe, place.ref, page, words);
}

void VmMap::remove(Stripe& stripe, Place& place, base::PageNumber page) {
  if (place.ref != 0) {
    write(stripe, place.ref, page, {});
  } else {
    write_lone(stripe, *place.lone, page, {});
    place.lone = nullptr;
  }
}

void VmMap::tidy_up(Stripe& stripe, Place place) {
  if (place.ref == 0) return;
  const Block& block = arena_.block(place.ref);
  if (block.present() != 0) return;
  space_blocks_.leave(block.tag());
  place.link->store(block.next.load(std::memory_order_relaxed), std::memory_order_release);
  stripe.release_block(arena_, place.ref);
  blocks_.fetch_sub(1, std::memory_order_relaxed);
}

namespace {

// Room for the wanted pages, filled up with those that are likely to come: the ones that follow.
PageSet members_for(PageSet wanted, unsigned index, BlockShape shape) {
  const int room = static_cast<int>(internal::room_of(shape));
  for (unsigned step = 1; std::popcount(wanted) < room; ++step) {
    wanted |= internal::bit_of((index + step) % internal::kBlockPages);
  }
  return wanted;
}

BlockShape shape_for(PageSet members) {
  const int count = std::popcount(members);
  for (const BlockShape shape : {BlockShape::kFew, BlockShape::kSome}) {
    if (count <= static_cast<int>(internal::room_of(shape))) return shape;
  }
  return BlockShape::kFull;
}

}  // namespace

BlockRef VmMap::make_room(Stripe& stripe, Place place, base::PageNumber page, PageSet wanted) {
  if (place.ref == 0) return add_block(stripe, place, page, wanted);
  if (arena_.block(place.ref).has_room_for(internal::index_of(page))) return place.ref;
  return widen_block(stripe, place, page, wanted);
}

// A lone page of the tag is in the block before a link leads there, and leaves its slot after that:
// a reader finds it in either.
BlockRef VmMap::add_block(Stripe& stripe, Place place, base::PageNumber page, PageSet wanted) {
  if (place.lone != nullptr) wanted |= internal::bit_of(internal::index_of(place.lone->page()));
  const BlockShape shape = shape_for(wanted);
  const BlockRef ref = stripe.take_block(arena_, shape);
  Block& block = arena_.block(ref);
  block.enter(internal::tag_of(page), members_for(wanted, internal::index_of(page), shape));
  if (place.lone != nullptr) {
    block.put_before_linked(internal::index_of(place.lone->page()), place.lone->cell.load());
    if (block.dirty() != 0) stripe.link_dirty_lone(arena_, ref);
  }
  block.next.store(place.link->load(std::memory_order_relaxed), std::memory_order_release);
  place.link->store(block.link(ref), std::memory_order_release);
  if (shape == BlockShape::kFull) space_blocks_.enter(block.tag(), ref);
  blocks_.fetch_add(1, std::memory_order_relaxed);
  if (place.lone != nullptr) {
    lones_.vacate(*place.lone, stripe.sequence);
    --stripe.lone_entries;
  }
  return ref;
}

// The wider block is complete before a link leads to it, and equal to the old one until that has
// left: a reader may use either.
BlockRef VmMap::widen_block(Stripe& stripe, Place place, base::PageNumber page, PageSet wanted) {
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
  if (shape == BlockShape::kFull) space_blocks_.enter(wider.tag(), ref);
  stripe.release_block(arena_, place.ref);
  return ref;
}

void VmMap::write(Stripe& stripe, BlockRef ref, base::PageNumber page,
                  const PageEntry::Words& words) {
  Block& block = arena_.block(ref);
  const PageEntry::Words old = block.read(internal::index_of(page));
  const bool was_dirty = block.dirty() != 0;
  block.write(page, words, stripe.sequence);
  stripe.count(old, words);
  if (!was_dirty && block.dirty() != 0) stripe.link_dirty(arena_, ref);
  if (was_dirty && block.dirty() == 0) stripe.unlink_dirty(arena_, ref);
#ifndef NDEBUG
  block.check_entry(internal::index_of(page));
#endif
}

void VmMap::write_lone(Stripe& stripe, LoneSlot& slot, base::PageNumber page,
                       const PageEntry::Words& words) {
  const bool was_free = slot.is_free();
  stripe.count(was_free ? PageEntry::Words{} : slot.cell.load(), words);
  if (was_free) {
    lones_.fill(slot, page, words);
    ++stripe.lone_entries;
  } else if (PageEntry::is_entry(words)) {
    lones_.change(slot, words, stripe.sequence);
  } else {
    lones_.vacate(slot, stripe.sequence);
    --stripe.lone_entries;
  }
}

// Buckets for blocks: eight for three, since of consecutive blocks, whose hashes keep their
// distances, hardly two then share one. A call splits a few at most: nobody pays for the whole
// table.
void VmMap::grow() {
  constexpr int kSplitsAtOnce = 4;
  for (int i = 0; i < kSplitsAtOnce; ++i) {
    const BucketTree::Node node = buckets_.next_split();
    const std::uint64_t blocks = blocks_.load(std::memory_order_relaxed);
    if (8 * blocks <= 3 * buckets_.buckets() || node >= BucketTree::kLastSplit) break;
    split(node);
  }
  for (int i = 0; i < kSplitsAtOnce && lones_.crowded(); ++i) split_lone(lones_.next_split());
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

void VmMap::split_lone(LonePages::Node node) {
  Stripe& stripe = stripe_of(internal::BucketGrowth::first_hash(node));
  const base::LockGuard guard(stripe.lock);
  if (lones_.next_split() == node) lones_.split(node, stripe.sequence);
}

}  // namespace revenant::vm
