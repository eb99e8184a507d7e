#include "objects/shard.h"

#include <utility>

#include "base/check.h"
#include "objects/misuse.h"
#include "objects/world.h"

namespace revenant::objects {

__thread Shard* detail::current_shard = nullptr;

Shards::Shards(World& world, LargeRuns& runs, unsigned workers)
    : world_(world), runs_(runs), workers_(workers) {
  REVENANT_CHECK(workers >= 1 && workers <= kWorkerShards, "%u workers", workers);
}

Shard& Shards::prepare(unsigned index) {
  Shard& shard = Shard::at(index);
  const std::uint64_t bit = std::uint64_t{1} << index;
  if ((world_.heap.ready_shards.load(std::memory_order_acquire) & bit) == 0) {
    shard.index = static_cast<std::uint16_t>(index);
    for (Shard::Bin& bin : shard.bins) bin.current = &shard.no_slab;
    world_.heap.ready_shards.fetch_or(bit, std::memory_order_release);
  }
  return shard;
}

std::byte* Shards::allocate(std::size_t size_class) {
  if (Shard* mine = detail::current_shard; mine != nullptr) return allocate_from(*mine, size_class);
  base::LockGuard guard(common_lock_);
  return allocate_from(prepare(kCommonShard), size_class);
}

std::byte* Shards::allocate_from(Shard& shard, std::size_t size_class) {
  Shard::Bin& bin = shard.bins[size_class];
  if (std::byte* block = bin.current->take(); block != nullptr) return block;
  Slab* next = next_slab(shard, size_class);
  if (next == nullptr) return nullptr;
  if (next != bin.current) {
    bin.current->place = SlabPlace::kNowhere;  // full: comes back with its first free block
    next->place = SlabPlace::kCurrent;
    bin.current = next;
  }
  return next->take();
}

// A slab with free blocks for the bin, out of its lists: what others freed first, then what is at
// hand, then what workers left behind that are no more, then new pages.
Slab* Shards::next_slab(Shard& shard, std::size_t size_class) {
  collect(shard, shard);
  Shard::Bin& bin = shard.bins[size_class];
  if (bin.current->summary.load(std::memory_order_relaxed) != 0) return bin.current;
  if (bin.partial == nullptr && shard.index != kCommonShard) adopt_orphans(shard);
  while (Slab* slab = bin.partial) {
    remove_partial(shard, *slab);
    if (slab->summary.load(std::memory_order_relaxed) != 0) return slab;
  }
  return fresh_slab(shard, size_class);
}

Slab* Shards::fresh_slab(Shard& shard, std::size_t size_class) {
  std::byte* memory = nullptr;
  if (Slab* kept = shard.reserve; kept != nullptr) {
    shard.reserve = kept->next;
    --shard.reserve_count;
    memory = kept->base;
    const std::uint64_t first = PageMap::index_of(memory);
    std::atomic_ref(PageMap::record(first).epoch)
        .store(world_.open_epoch().value, std::memory_order_relaxed);
    PageMap::set(first, kPagesPerSlab, PageKind::kSlab);
  } else {
    const auto carved = runs_.carve(kPagesPerSlab, kPagesPerSlab, PageKind::kSlab);
    if (!carved) return nullptr;
    memory = carved->record->pointer();
  }
  const std::uint64_t index = Slab::index_of(memory);
  Slab& slab = Slab::at(index);
  slab.format(memory, size_class, shard.index);
  Slab::kind(index).store(static_cast<std::uint8_t>(size_class + 1), std::memory_order_release);
  return &slab;
}

void Shards::after_free(Slab& slab) {
  refile(Shard::at(slab.shard.load(std::memory_order_relaxed)), slab);
}

// Puts a slab whose free blocks became more where it belongs. I2
void Shards::refile(Shard& shard, Slab& slab) {
  if (slab.place == SlabPlace::kNowhere && slab.summary.load(std::memory_order_relaxed) != 0) {
    push_partial(shard, slab);
  }
  if (slab.place == SlabPlace::kPartial && slab.used.load(std::memory_order_relaxed) == 0) {
    remove_partial(shard, slab);
    retire(shard, slab);
  }
}

void Shards::retire(Shard& shard, Slab& slab) {
  const std::uint64_t first = PageMap::index_of(slab.base);
  Slab::kind(Slab::index_of(slab.base)).store(0, std::memory_order_release);
  if (TypeId* types = slab.types.exchange(nullptr, std::memory_order_relaxed); types != nullptr) {
    runs_.free(PageMap::record(PageMap::index_of(types)));
  }
  if (shard.reserve_count < Shard::kReserveSlabs) {  // I4
    PageMap::set(first, kPagesPerSlab, PageKind::kReserve);
    slab.place = SlabPlace::kReserve;
    slab.next = shard.reserve;
    shard.reserve = &slab;
    ++shard.reserve_count;
  } else {
    slab.place = SlabPlace::kNowhere;
    runs_.free(PageMap::record(first));
  }
}

bool Shards::free_remote(Slab& slab, std::uint32_t index) {
  if (detail::current_shard != nullptr) return mark_remote(slab, index);
  base::LockGuard guard(common_lock_);
  return mark_remote(slab, index);
}

bool Shards::mark_remote(Slab& slab, std::uint32_t index) {
  const std::uint64_t bit = std::uint64_t{1} << (index % 64);
  if (slab.is_free(index)) return false;
  slab.forget_type(index);  // while the block is still this thread's
  const std::uint64_t before = slab.remote[index / 64].fetch_or(bit, std::memory_order_release);
  if ((before & bit) != 0) return false;
  note(slab);
  return true;
}

void Shards::note(Slab& slab) {
  if (slab.remote_noted.exchange(1, std::memory_order_acq_rel) != 0) return;
  std::atomic<Slab*>& stack = Shard::at(slab.shard.load(std::memory_order_relaxed)).noted;
  Slab* head = stack.load(std::memory_order_relaxed);
  do {
    slab.next_noted = head;
  } while (!stack.compare_exchange_weak(head, &slab, std::memory_order_release,
                                        std::memory_order_relaxed));
}

void Shards::collect(Shard& shard, Shard& from) {
  if (from.noted.load(std::memory_order_relaxed) == nullptr) return;
  Slab* next = nullptr;
  for (Slab* slab = from.noted.exchange(nullptr, std::memory_order_acquire); slab != nullptr;
       slab = next) {
    next = slab->next_noted;
    slab->remote_noted.exchange(0, std::memory_order_acq_rel);
    const std::uint64_t index = static_cast<std::uint64_t>(slab - &Slab::at(0));
    // A freer may note a slab late, after its blocks were collected and it was retired.
    if (Slab::kind(index).load(std::memory_order_acquire) == 0) continue;
    if (slab->shard.load(std::memory_order_relaxed) != from.index) {
      note(*slab);
      continue;
    }
    slab->shard.store(shard.index, std::memory_order_relaxed);
    if (const int twice = slab->collect_remote(); twice >= 0) {
      report_misuse("free", slab->base + std::size_t(twice) * slab->geometry().bytes);
    }
    refile(shard, *slab);
  }
}

void Shards::adopt_orphans(Shard& shard) {
  const std::uint64_t ready = world_.heap.ready_shards.load(std::memory_order_relaxed);
  for (unsigned index = shard.index + workers_; index < kWorkerShards; index += workers_) {
    if ((ready >> index & 1) != 0) adopt(shard, Shard::at(index));
  }
}

void Shards::adopt(Shard& shard, Shard& orphan) {
  for (Shard::Bin& bin : orphan.bins) {
    if (bin.current != &orphan.no_slab) {
      bin.current->place = SlabPlace::kNowhere;
      bin.current->shard.store(shard.index, std::memory_order_relaxed);
      refile(shard, *bin.current);
      bin.current = &orphan.no_slab;
    }
    while (Slab* slab = bin.partial) {
      remove_partial(orphan, *slab);
      slab->place = SlabPlace::kNowhere;
      slab->shard.store(shard.index, std::memory_order_relaxed);
      refile(shard, *slab);
    }
  }
  drop_reserve(orphan);
  collect(shard, orphan);
}

void Shards::drop_reserve(Shard& shard) {
  while (Slab* kept = shard.reserve) {
    shard.reserve = kept->next;
    --shard.reserve_count;
    kept->place = SlabPlace::kNowhere;
    runs_.free(PageMap::record(PageMap::index_of(kept->base)));
  }
}

void Shards::tidy() {
  if (Shard* mine = detail::current_shard; mine != nullptr) {
    adopt_orphans(*mine);
    tidy(*mine);
  }
  base::LockGuard guard(common_lock_);
  tidy(prepare(kCommonShard));
}

void Shards::tidy(Shard& shard) {
  collect(shard, shard);
  for (Shard::Bin& bin : shard.bins) {
    if (bin.current->used.load(std::memory_order_relaxed) != 0) continue;
    if (bin.current == &shard.no_slab) continue;
    Slab& empty = *std::exchange(bin.current, &shard.no_slab);
    retire(shard, empty);
  }
  drop_reserve(shard);
}

void Shards::push_partial(Shard& shard, Slab& slab) {
  Slab*& head = shard.bins[slab.size_class].partial;
  slab.place = SlabPlace::kPartial;
  slab.previous = nullptr;
  slab.next = head;
  if (head != nullptr) head->previous = &slab;
  head = &slab;
}

void Shards::remove_partial(Shard& shard, Slab& slab) {
  (slab.previous != nullptr ? slab.previous->next : shard.bins[slab.size_class].partial) =
      slab.next;
  if (slab.next != nullptr) slab.next->previous = slab.previous;
  slab.place = SlabPlace::kNowhere;
}

}  // namespace revenant::objects
