// Which snapshots stay, and what one step of reclaiming did.
#pragma once

#include <cstdint>

namespace revenant::store {

// Heads and tagged snapshots always stay. Beyond them the `last` newest do, but fewer, down to
// `least`, while what only old snapshots hold exceeds both `history_bytes` and the head's own size:
// a program that rewrites all its memory at each snapshot would else keep 64 copies of it.
struct Policy {
  std::uint32_t last = 64;
  std::uint32_t least = 4;
  std::uint64_t history_bytes = 96ull << 20;
  // Snapshots are deleted this many at a time: neighbours in age share LMDB pages.
  std::uint32_t batch = 16;
};

struct ReclaimReport {
  std::uint64_t snapshots_deleted = 0;
  std::uint64_t images_freed = 0;
  std::uint64_t nodes_freed = 0;
  bool more = false;  // another call would find work
};

}  // namespace revenant::store
