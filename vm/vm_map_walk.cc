// The walks over a vm_map: all entries, the dirty ones, and all there is for check_invariants.
#include <algorithm>
#include <bit>

#include "base/check.h"
#include "vm/vm_map.h"

namespace revenant::vm {

using internal::Block;
using internal::BlockLink;
using internal::BlockRef;
using internal::BlockShape;
using internal::BucketTree;
using internal::hash_of;
using internal::LonePages;
using internal::LoneSlot;
using internal::PageSet;
using internal::Stripe;

// Some entries of one block, or that of a lone page, taken under the lock to be visited without it.
struct VmMap::BlockCopy {
  internal::BlockTag tag = internal::kNoTag;
  PageSet chosen = 0;
  PageEntry::Words words[internal::kBlockPages];

  void take(const Block& block, PageSet entries) {
    tag = block.tag();
    chosen = entries;
    for (PageSet left = chosen; left != 0; left &= left - 1) {
      const auto index = static_cast<unsigned>(std::countr_zero(left));
      words[index] = block.read(index);
    }
  }
  void take(const LoneSlot& slot) {
    const unsigned index = internal::index_of(slot.page());
    tag = internal::tag_of(slot.page());
    chosen = internal::bit_of(index);
    words[index] = slot.cell.load();
  }
  void visit_entries(Visit visit) const {
    for (PageSet left = chosen; left != 0; left &= left - 1) {
      const auto index = static_cast<unsigned>(std::countr_zero(left));
      visit(base::PageNumber{(tag << internal::kBlockShift) + index},
            PageEntry::from_words(words[index]));
    }
  }
};

// In the order of hashes, which growth does not change: what is behind the cursor was visited, what
// is before it was not, whatever happens to the buckets meanwhile. A page's hash is its block's,
// too, so that one that is given a block is still where it was.
void VmMap::for_each(Visit visit) const {
  BlockCopy copy;
  std::uint64_t hash = 0;
  while (copy_from(hash, copy)) {
    copy.visit_entries(visit);
    hash += internal::kHashStep;
    if (hash == 0) return;
  }
}

// Copies what has the least hash that is at least `hash`, and sets `hash` to that. It goes from one
// bucket of lone pages to the next: in either tree there may be many empty buckets where the other
// has one.
bool VmMap::copy_from(std::uint64_t& hash, BlockCopy& copy) const {
  for (;;) {
    Stripe& stripe = stripe_of(hash);
    const base::LockGuard guard(stripe.lock);
    do {
      const LoneSlot* lone = lones_.first_from(hash);
      const std::uint64_t last =
          lone != nullptr ? lone->hash() : BucketTree::last_hash(lones_.bucket_of(hash));
      if (const BlockRef ref = first_block(hash, last); ref != 0) {
        const Block& block = arena_.block(ref);
        copy.take(block, block.present());
        hash = hash_of(block.tag());
        return true;
      }
      hash = last;
      if (lone != nullptr) {
        copy.take(*lone);
        return true;
      }
      ++hash;
      if (hash == 0) return false;
    } while (&stripe_of(hash) == &stripe);
  }
}

void VmMap::change_all(base::PageRun run, RunChange change) {
  const auto change_parts = [&](base::PageRun rest) {
    while (rest.count.value != 0) {
      const base::PageRun part = block_part(rest);
      change_run(part, change);
      rest = {part.end(), rest.end() - part.end()};
    }
  };
  const std::uint64_t stored = blocks_.load(std::memory_order_relaxed) + lones_.pages();
  if (run.count.value / kRunPages <= stored) {
    change_parts(run);
    return;
  }
  BlockCopy copy;
  std::uint64_t hash = 0;
  while (copy_from(hash, copy)) {
    const base::PageRun block{{copy.tag << internal::kBlockShift}, {internal::kBlockPages}};
    const base::PageNumber first = std::max(block.first, run.first);
    const base::PageNumber end = std::min(block.end(), run.end());
    if (first < end) change_parts({first, end - first});
    hash += internal::kHashStep;
    if (hash == 0) return;
  }
}

// The block of the least hash from `hash` to `last`; 0 if there is none.
BlockRef VmMap::first_block(std::uint64_t hash, std::uint64_t last) const {
  for (;;) {
    const BucketTree::Node bucket = buckets_.bucket_of(hash);
    BlockLink link = buckets_.head(bucket).load(std::memory_order_relaxed);
    while (link && link.is_before(hash)) {
      link = arena_.block(link.ref()).next.load(std::memory_order_relaxed);
    }
    if (link) return hash_of(arena_.block(link.ref()).tag()) <= last ? link.ref() : 0;
    if (BucketTree::last_hash(bucket) >= last) return 0;
    hash = BucketTree::last_hash(bucket) + 1;
  }
}

void VmMap::for_each_dirty(Visit visit) {
  REVENANT_CHECK(!dirty_walk_.exchange(true, std::memory_order_acquire),
                 "two walks over the dirty entries of one map at a time");
  BlockCopy copy;
  std::uint64_t first_hash = 0;
  for (Stripe& stripe : stripes_) {
    const std::uint64_t last_hash = first_hash | ~std::uint64_t{0} >> BucketTree::kStripeBits;
    {
      const base::LockGuard guard(stripe.lock);
      stripe.start_dirty_walk(first_hash);
    }
    while (copy_dirty(stripe, last_hash, copy)) copy.visit_entries(visit);
    first_hash = last_hash + 1;
  }
  dirty_walk_.store(false, std::memory_order_release);
}

bool VmMap::copy_dirty(Stripe& stripe, std::uint64_t last_hash, BlockCopy& copy) {
  const base::LockGuard guard(stripe.lock);
  if (stripe.lone_left_from <= last_hash) {
    const LoneSlot* lone = lones_.first_dirty(stripe.lone_left_from, last_hash);
    stripe.lone_left_from = Stripe::kNothingLeft;
    if (lone != nullptr) {
      if (last_hash - lone->hash() >= internal::kHashStep) {
        stripe.lone_left_from = lone->hash() + internal::kHashStep;
      }
      copy.take(*lone);
      return true;
    }
  }
  const BlockRef ref = stripe.next_of_dirty_walk(arena_);
  if (ref == 0) return false;
  copy.take(arena_.block(ref), arena_.block(ref).dirty());
  return true;
}

VmMapStatistics VmMap::statistics() const {
  VmMapStatistics sum;
  for (Stripe& stripe : stripes_) {
    const base::LockGuard guard(stripe.lock);
    sum.entries += stripe.entries;
    sum.dirty_entries += stripe.dirty_entries;
    for (const std::uint64_t blocks : stripe.blocks) sum.blocks += blocks;
    sum.lone_entries += stripe.lone_entries;
    sum.full_blocks += stripe.blocks[static_cast<unsigned>(BlockShape::kFull)];
  }
  sum.buckets = buckets_.buckets();
  sum.lone_buckets = lones_.buckets();
  sum.bytes = arena_.used_bytes() + buckets_.used_bytes() + lones_.used_bytes() +
              sum.full_blocks * sizeof(internal::CellsRef) + sizeof(VmMap);
  return sum;
}

void VmMap::check_invariants() const {
  std::uint64_t hash = 0;
  std::uint64_t space_blocks = 0;
  for (Stripe& stripe : stripes_) {
    const base::LockGuard guard(stripe.lock);
    VmMapStatistics found;
    std::uint64_t dirty_blocks = 0;
    do {
      const BucketTree::Node bucket = buckets_.bucket_of(hash);
      dirty_blocks += check_bucket(bucket, found);
      space_blocks += check_space_blocks(bucket);
      hash = BucketTree::last_hash(bucket) + 1;
    } while (hash != 0 && &stripe_of(hash) == &stripe);
    check_lone_pages(stripe, found);
    REVENANT_CHECK(found.entries == stripe.entries);              // I3
    REVENANT_CHECK(found.dirty_entries == stripe.dirty_entries);  // I3
    REVENANT_CHECK(found.lone_entries == stripe.lone_entries);
    REVENANT_CHECK(found.blocks == stripe.blocks[0] + stripe.blocks[1] + stripe.blocks[2]);
    check_dirty_lists(stripe, dirty_blocks);
  }
  REVENANT_CHECK(space_blocks_.count() == space_blocks, "a block that left is still found");
}

// Gives the number of the bucket's full blocks that are in the space.
std::uint64_t VmMap::check_space_blocks(BucketTree::Node bucket) const {
  std::uint64_t count = 0;
  BlockLink link = buckets_.head(bucket).load(std::memory_order_relaxed);
  for (; link; link = arena_.block(link.ref()).next.load(std::memory_order_relaxed)) {
    const internal::BlockTag tag = arena_.block(link.ref()).tag();
    if (!internal::SpaceBlocks::covers(tag)) continue;
    const internal::CellsRef cells = link.full() ? internal::cells_of(link.ref()) : 0;
    REVENANT_CHECK(space_blocks_.find(tag) == cells);
    count += link.full() ? 1 : 0;
  }
  return count;
}

// Adds the stripe's lone pages to `found`.
void VmMap::check_lone_pages(const Stripe& stripe, VmMapStatistics& found) const {
  std::uint64_t hash = static_cast<std::uint64_t>(&stripe - stripes_)
                       << (64 - BucketTree::kStripeBits);
  do {
    const LonePages::Node bucket = lones_.bucket_of(hash);
    lones_.check_bucket(bucket);
    for (const LoneSlot* slot = lones_.first_from(hash);
         slot != nullptr && lones_.bucket_of(slot->hash()) == bucket;) {
      const bool has_block = locate(internal::tag_of(slot->page())).ref != 0;
      REVENANT_CHECK(!has_block, "a lone page has a block, too");  // I1
      ++found.lone_entries;
      ++found.entries;
      found.dirty_entries += slot->dirty() ? 1 : 0;
      if (BucketTree::last_hash(bucket) - slot->hash() < internal::kHashStep) break;
      slot = lones_.first_from(slot->hash() + internal::kHashStep);
    }
    hash = BucketTree::last_hash(bucket) + 1;
  } while (hash != 0 && &stripe_of(hash) == &stripe);
}

// Adds what the bucket holds to `found`; gives the number of its blocks with dirty entries.
std::uint64_t VmMap::check_bucket(BucketTree::Node bucket, VmMapStatistics& found) const {
  std::uint64_t least = BucketTree::first_hash(bucket);
  std::uint64_t dirty_blocks = 0;
  BlockLink link = buckets_.head(bucket).load(std::memory_order_relaxed);
  while (link) {
    const Block& block = arena_.block(link.ref());
    block.check_invariants();
    const std::uint64_t hash = hash_of(block.tag());
    REVENANT_CHECK(link.leads_to(hash) && link.full() == (block.shape() == BlockShape::kFull));
    REVENANT_CHECK(hash >= least && hash <= BucketTree::last_hash(bucket));  // I1, I2
    REVENANT_CHECK(block.present() != 0, "an empty block was left in the table");
    least = hash + internal::kHashStep;
    ++found.blocks;
    found.entries += static_cast<std::uint64_t>(std::popcount(block.present()));
    found.dirty_entries += static_cast<std::uint64_t>(std::popcount(block.dirty()));
    dirty_blocks += block.dirty() != 0 ? 1 : 0;
    link = block.next.load(std::memory_order_relaxed);
  }
  return dirty_blocks;
}

void VmMap::check_dirty_lists(Stripe& stripe, std::uint64_t blocks) const {
  std::uint64_t listed = 0;
  for (const BlockRef first : {stripe.dirty, stripe.dirty_left}) {
    BlockRef previous = 0;
    for (BlockRef ref = first; ref != 0; ref = arena_.block(ref).dirty_next) {
      const Block& block = arena_.block(ref);
      REVENANT_CHECK(block.dirty() != 0 && block.dirty_previous == previous);
      previous = ref;
      ++listed;
    }
  }
  REVENANT_CHECK(listed == blocks, "%llu blocks have dirty entries, %llu are on the lists",
                 static_cast<unsigned long long>(blocks), static_cast<unsigned long long>(listed));
}

}  // namespace revenant::vm
