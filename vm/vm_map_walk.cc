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
using internal::Stripe;

// Some entries of one block, taken under the lock to be visited without it.
struct VmMap::BlockCopy {
  internal::BlockTag tag = internal::kNoTag;
  std::uint16_t chosen = 0;
  PageEntry::Words words[internal::kBlockPages];

  void take(const Block& block, std::uint16_t entries) {
    tag = block.tag();
    chosen = entries;
    for (unsigned index = 0; index < internal::kBlockPages; ++index) {
      if ((chosen & internal::bit_of(index)) != 0) words[index] = block.read(index);
    }
  }
  void visit_entries(Visit visit) const {
    for (unsigned index = 0; index < internal::kBlockPages; ++index) {
      if ((chosen & internal::bit_of(index)) == 0) continue;
      visit(base::PageNumber{(tag << internal::kBlockShift) + index},
            PageEntry::from_words(words[index]));
    }
  }
};

// In the order of hashes, which growth does not change: what is behind the cursor was visited, what
// is before it was not, whatever happens to the buckets meanwhile.
void VmMap::for_each(Visit visit) const {
  BlockCopy copy;
  std::uint64_t hash = 0;
  while (copy_block_from(hash, copy)) {
    copy.visit_entries(visit);
    hash += internal::kHashStep;
    if (hash == 0) return;
  }
}

// Copies the first block whose hash is at least `hash`, and sets `hash` to its own.
bool VmMap::copy_block_from(std::uint64_t& hash, BlockCopy& copy) const {
  for (;;) {
    Stripe& stripe = stripe_of(hash);
    const base::LockGuard guard(stripe.lock);
    do {
      const BucketTree::Node bucket = buckets_.bucket_of(hash);
      BlockLink link = buckets_.head(bucket).load(std::memory_order_relaxed);
      while (link && link.is_before(hash)) {
        link = arena_.block(link.ref()).next.load(std::memory_order_relaxed);
      }
      if (link) {
        const Block& block = arena_.block(link.ref());
        copy.take(block, block.present());
        hash = hash_of(block.tag());
        return true;
      }
      hash = BucketTree::last_hash(bucket) + 1;
      if (hash == 0) return false;
    } while (&stripe_of(hash) == &stripe);
  }
}

void VmMap::change_all(base::PageRun run, RunChange change) {
  const std::uint64_t blocks = run.count.value / internal::kBlockPages;
  if (blocks <= blocks_.load(std::memory_order_relaxed)) {
    while (run.count.value != 0) {
      const base::PageRun part = block_part(run);
      change_run(part, change);
      run = {part.end(), run.end() - part.end()};
    }
    return;
  }
  BlockCopy copy;
  std::uint64_t hash = 0;
  while (copy_block_from(hash, copy)) {
    const base::PageRun block{{copy.tag << internal::kBlockShift}, {internal::kBlockPages}};
    const base::PageNumber first = std::max(block.first, run.first);
    const base::PageNumber end = std::min(block.end(), run.end());
    if (first < end) change_run({first, end - first}, change);
    hash += internal::kHashStep;
    if (hash == 0) return;
  }
}

void VmMap::for_each_dirty(Visit visit) {
  REVENANT_CHECK(!dirty_walk_.exchange(true, std::memory_order_acquire),
                 "two walks over the dirty entries of one map at a time");
  BlockCopy copy;
  for (Stripe& stripe : stripes_) {
    {
      const base::LockGuard guard(stripe.lock);
      stripe.start_dirty_walk();
    }
    while (copy_dirty_block(stripe, copy)) copy.visit_entries(visit);
  }
  dirty_walk_.store(false, std::memory_order_release);
}

bool VmMap::copy_dirty_block(Stripe& stripe, BlockCopy& copy) {
  const base::LockGuard guard(stripe.lock);
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
    sum.lone_blocks += stripe.blocks[static_cast<unsigned>(BlockShape::kLone)];
    sum.full_blocks += stripe.blocks[static_cast<unsigned>(BlockShape::kFull)];
  }
  sum.buckets = buckets_.buckets();
  sum.bytes = arena_.used_bytes() + buckets_.used_bytes() + sizeof(VmMap);
  return sum;
}

void VmMap::check_invariants() const {
  std::uint64_t hash = 0;
  for (Stripe& stripe : stripes_) {
    const base::LockGuard guard(stripe.lock);
    VmMapStatistics found;
    std::uint64_t dirty_blocks = 0;
    do {
      const BucketTree::Node bucket = buckets_.bucket_of(hash);
      dirty_blocks += check_bucket(bucket, found);
      hash = BucketTree::last_hash(bucket) + 1;
    } while (hash != 0 && &stripe_of(hash) == &stripe);
    REVENANT_CHECK(found.entries == stripe.entries);              // I3
    REVENANT_CHECK(found.dirty_entries == stripe.dirty_entries);  // I3
    REVENANT_CHECK(found.blocks == stripe.blocks[0] + stripe.blocks[1] + stripe.blocks[2]);
    check_dirty_lists(stripe, dirty_blocks);
  }
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
