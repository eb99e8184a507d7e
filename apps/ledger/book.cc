#include "book.h"

namespace ledger {

Book::Book(std::size_t accounts) : ring_(kRingTransfers) {
  for (Checkpoint& sums : checkpoints_) sums.gains.resize(accounts);
}

void Book::record(const Transfer& transfer) {
  const std::uint64_t position = recorded_.load() + 1;
  if (position - checkpoint().folded > kRingTransfers) fold();
  ring_[(position - 1) % kRingTransfers] = transfer;
  recorded_.store(position);  // B3
}

void Book::fold() {
  const std::uint32_t spare = 1 - selected_.load();
  checkpoints_[spare] = checkpoint();
  // What is folded can be checked no more, so it is checked now.
  const auto violation = replay_into(checkpoints_[spare], recorded_.load());
  if (violation) throw std::logic_error(*violation);
  selected_.store(spare);  // B3
}

Book::Balance Book::replay() const {
  Checkpoint sums = checkpoint();
  auto violation = replay_into(sums, recorded_.load());
  return {std::move(sums.gains), std::move(violation)};
}

std::optional<std::string> Book::replay_into(Checkpoint& sums, std::uint64_t until) const {
  for (std::uint64_t position = sums.folded + 1; position <= until; ++position) {
    const Transfer& transfer = at(position);
    if (transfer.number != position) {  // B1
      return "transfer " + std::to_string(transfer.number) + " stands at position " +
             std::to_string(position);
    }
    sums.gains.at(transfer.from) -= transfer.amount;
    sums.gains.at(transfer.to) += transfer.amount;
    sums.folded = position;
  }
  return std::nullopt;
}

}  // namespace ledger
