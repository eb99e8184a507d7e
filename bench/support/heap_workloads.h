// What bench/heap asks of each allocator, written once for all of them.
//
// A peer is a type with `static void* allocate(std::size_t)` and `static void release(void*)`. Each
// workload keeps its working set from round to round; a round does `pairs` allocations and as many
// frees and returns the nanoseconds of one pair.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

namespace revenant::bench {

inline constexpr std::string_view kHeapCases[] = {"small48", "mixed", "map"};

struct HeapScale {
  std::size_t live;   // blocks in the working set
  std::size_t pairs;  // a round
};

template <class F>
double nanoseconds_each(std::size_t pairs, F run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  return took.count() / static_cast<double>(pairs);
}

// Blocks of random sizes, each freed after a random time: a random slot of the working set is
// emptied and filled anew. The new block is written at both ends, the old one is read.
template <class Peer, class Sizes>
class SlotWorkload {
 public:
  SlotWorkload(HeapScale scale, Sizes sizes)
      : scale_(scale), sizes_(sizes), slots_(scale.live), order_(scale.pairs) {
    for (void*& slot : slots_) slot = make();
  }
  SlotWorkload(const SlotWorkload&) = delete;
  SlotWorkload& operator=(const SlotWorkload&) = delete;
  ~SlotWorkload() {
    for (void* slot : slots_) Peer::release(slot);
  }

  double round() {
    // Drawn ahead, so that drawing is not measured.
    for (Step& step : order_) {
      step = {static_cast<std::uint32_t>(random_() % slots_.size()), sizes_(random_)};
    }
    return nanoseconds_each(scale_.pairs, [this] {
      for (const Step& step : order_) {
        sum_ += *static_cast<std::uint64_t*>(slots_[step.slot]);
        Peer::release(slots_[step.slot]);
        slots_[step.slot] = touch(Peer::allocate(step.bytes), step.bytes);
      }
    });
  }

 private:
  struct Step {
    std::uint32_t slot;
    std::uint32_t bytes;
  };

  static void* touch(void* block, std::size_t bytes) {
    *static_cast<std::uint64_t*>(block) = bytes;
    static_cast<std::uint64_t*>(block)[bytes / 8 - 1] = bytes;
    return block;
  }
  void* make() {
    const std::size_t bytes = sizes_(random_);
    return touch(Peer::allocate(bytes), bytes);
  }

  const HeapScale scale_;
  Sizes sizes_;
  std::vector<void*> slots_;
  std::vector<Step> order_;
  std::mt19937 random_{48};
  std::uint64_t sum_ = 0;
};

struct Size48 {
  std::uint32_t operator()(std::mt19937&) const { return 48; }
};

// 16 to 4096 bytes, small ones more often; one in 200 is large, up to 128 KiB.
struct SizeMixed {
  std::uint32_t operator()(std::mt19937& random) const {
    if (random() % 200 == 0) return 8192 + random() % 122'880;
    const std::uint32_t limit = 16u << (random() % 9);
    return 16 + random() % limit;
  }
};

template <class T, class Peer>
struct PeerAllocator {
  using value_type = T;
  PeerAllocator() = default;
  template <class U>
  PeerAllocator(const PeerAllocator<U, Peer>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(Peer::allocate(count * sizeof(T))); }
  void deallocate(T* block, std::size_t) { Peer::release(block); }
  bool operator==(const PeerAllocator&) const { return true; }
};

// A std::map that stays of one size: a random key goes, another comes.
template <class Peer>
class MapWorkload {
 public:
  explicit MapWorkload(HeapScale scale) : scale_(scale) {
    while (map_.size() < scale.live) map_.emplace(random_() % kKeys, 0);
  }

  double round() {
    return nanoseconds_each(scale_.pairs, [this] {
      for (std::size_t i = 0; i < scale_.pairs; ++i) {
        auto found = map_.lower_bound(random_() % kKeys);
        if (found == map_.end()) found = map_.begin();
        map_.erase(found);
        map_.emplace(random_() % kKeys, i);
      }
    });
  }

 private:
  static constexpr std::uint32_t kKeys = 1u << 30;

  const HeapScale scale_;
  std::mt19937 random_{7};
  using Entry = std::pair<const std::uint64_t, std::uint64_t>;
  std::map<std::uint64_t, std::uint64_t, std::less<>, PeerAllocator<Entry, Peer>> map_;
};

inline HeapScale heap_scale(std::string_view case_name, bool smoke) {
  if (smoke) return {.live = 500, .pairs = 1000};
  if (case_name == "small48") return {.live = 200'000, .pairs = 1'000'000};
  if (case_name == "mixed") return {.live = 20'000, .pairs = 300'000};
  return {.live = 50'000, .pairs = 200'000};
}

// Runs `visit` with a shared pointer to a workload of the case; `visit` returns what the caller
// wants.
template <class Peer, class F>
auto with_workload(std::string_view case_name, HeapScale scale, F visit) {
  if (case_name == "small48") {
    return visit(std::make_shared<SlotWorkload<Peer, Size48>>(scale, Size48{}));
  }
  if (case_name == "mixed") {
    return visit(std::make_shared<SlotWorkload<Peer, SizeMixed>>(scale, SizeMixed{}));
  }
  return visit(std::make_shared<MapWorkload<Peer>>(scale));
}

}  // namespace revenant::bench
