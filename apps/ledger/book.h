// The history: every transfer with its number, bounded by folding the oldest ones.
//
//   transfers   1 ........ folded | folded + 1 ........ recorded |
//               a sum an account  | in the ring, one by one      |
//
// B1  The transfer at position i bears the number i: a gap or a repetition shows.
// B2  The sums and the ring together say what each account gained or lost since it was opened.
// B3  At any instant, between any two instructions, a reader of a stopped book finds it whole: an
//     entry is published by the count that takes it in, folded sums by the index that selects them.
//
// One writer at a time (the bank's book mutex); readers hold that mutex too, or the world stands
// still, as it does in on_restart.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account.h"

namespace ledger {

struct Transfer {
  std::uint64_t number;
  std::uint32_t from;
  std::uint32_t to;
  Money amount;
};

class Book {
 public:
  explicit Book(std::size_t accounts);

  // Appends one transfer, folding old ones when the ring is full.
  void record(const Transfer& transfer);

  [[nodiscard]] std::uint64_t recorded() const { return recorded_.load(); }

  // What each account gained or lost; a sentence instead if a number is not where it belongs.
  struct Balance {
    std::vector<Money> gains;
    std::optional<std::string> violation;
  };
  [[nodiscard]] Balance replay() const;

 private:
  static constexpr std::size_t kRingTransfers = 4096;

  struct Checkpoint {
    std::uint64_t folded = 0;
    std::vector<Money> gains;
  };

  [[nodiscard]] const Checkpoint& checkpoint() const { return checkpoints_[selected_.load()]; }
  [[nodiscard]] const Transfer& at(std::uint64_t number) const {
    return ring_[(number - 1) % kRingTransfers];
  }
  // Adds the transfers up to `until` to the checkpoint's gains.
  std::optional<std::string> replay_into(Checkpoint& sums, std::uint64_t until) const;
  void fold();

  std::vector<Transfer> ring_;
  std::atomic<std::uint64_t> recorded_ = 0;
  std::array<Checkpoint, 2> checkpoints_;
  std::atomic<std::uint32_t> selected_ = 0;
};

}  // namespace ledger
