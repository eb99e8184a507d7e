#include "vm/vm_map_stripe.h"

#include "base/check.h"

namespace revenant::vm::internal {

BlockRef Stripe::take_block(BlockArena& arena, BlockShape shape) {
  const auto kind = static_cast<unsigned>(shape);
  ++blocks[kind];
  const BlockRef ref = free[kind];
  if (ref == 0) return arena.carve(shape);
  free[kind] = arena.block(ref).next.load(std::memory_order_relaxed).ref();
  return ref;
}

void Stripe::release_block(BlockArena& arena, BlockRef ref) {
  Block& block = arena.block(ref);
  block.leave();
  sequence.departed();  // I2
  const auto kind = static_cast<unsigned>(block.shape());
  --blocks[kind];
  block.next.store(BlockLink(0, free[kind], false), std::memory_order_release);
  free[kind] = ref;
}

namespace {

void link_first(BlockArena& arena, BlockRef& list, BlockRef ref) {
  Block& block = arena.block(ref);
  block.dirty_previous = 0;
  block.dirty_next = list;
  if (list != 0) arena.block(list).dirty_previous = ref;
  list = ref;
}

}  // namespace

void Stripe::link_dirty(BlockArena& arena, BlockRef ref) { link_first(arena, dirty, ref); }

void Stripe::link_dirty_lone(BlockArena& arena, BlockRef ref) {
  const bool left = hash_of(arena.block(ref).tag()) >= lone_left_from;
  link_first(arena, left ? dirty_left : dirty, ref);
}

void Stripe::unlink_dirty(BlockArena& arena, BlockRef ref) {
  Block& block = arena.block(ref);
  if (block.dirty_next != 0) arena.block(block.dirty_next).dirty_previous = block.dirty_previous;
  if (block.dirty_previous != 0) {
    arena.block(block.dirty_previous).dirty_next = block.dirty_next;
  } else if (dirty == ref) {
    dirty = block.dirty_next;
  } else {
    REVENANT_CHECK(dirty_left == ref, "a block with dirty entries is on no list");  // I1
    dirty_left = block.dirty_next;
  }
  block.dirty_previous = block.dirty_next = 0;
}

void Stripe::replace_dirty(BlockArena& arena, BlockRef old, BlockRef fresh) {
  Block& from = arena.block(old);
  Block& to = arena.block(fresh);
  to.dirty_previous = from.dirty_previous;
  to.dirty_next = from.dirty_next;
  if (to.dirty_next != 0) arena.block(to.dirty_next).dirty_previous = fresh;
  if (to.dirty_previous != 0) {
    arena.block(to.dirty_previous).dirty_next = fresh;
  } else {
    (dirty == old ? dirty : dirty_left) = fresh;  // I1
  }
  from.dirty_previous = from.dirty_next = 0;
}

void Stripe::start_dirty_walk(std::uint64_t first_hash) {
  REVENANT_CHECK(dirty_left == 0, "a dirty walk starts where another has not ended");
  dirty_left = dirty;
  dirty = 0;
  lone_left_from = first_hash;
}

BlockRef Stripe::next_of_dirty_walk(BlockArena& arena) {
  const BlockRef ref = dirty_left;
  if (ref == 0) return 0;
  unlink_dirty(arena, ref);
  link_dirty(arena, ref);
  return ref;
}

}  // namespace revenant::vm::internal
