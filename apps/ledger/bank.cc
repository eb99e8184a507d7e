#include "bank.h"

#include <mutex>
#include <random>

namespace ledger {
namespace {

constexpr Money kOpening = 1000;
constexpr Money kCredit = 250;
// Large enough that accounts run dry now and then.
constexpr Money kLargestOrder = 700;
constexpr std::size_t kQueuedOrders = 64;
constexpr std::size_t kDrawnNumbers = 16;

std::unique_ptr<Account> open_account(std::size_t position) {
  const std::string owner = "customer " + std::to_string(position);
  if (position % 2 == 0) return std::make_unique<SavingsAccount>(owner, kOpening);
  return std::make_unique<CurrentAccount>(owner, kOpening, kCredit);
}

}  // namespace

// Arms an intent for as long as a transfer takes, however it ends.
class Bank::ArmedIntent {
 public:
  ArmedIntent(Intent& intent, const Order& order, const Account& from, const Account& to)
      : intent_(intent) {
    intent_.order = order;
    intent_.from_before = from.balance();
    intent_.to_before = to.balance();
    intent_.number = 0;
    intent_.armed.store(true);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // no balance changes before: I1
  }
  ~ArmedIntent() { intent_.armed.store(false); }
  ArmedIntent(const ArmedIntent&) = delete;
  ArmedIntent& operator=(const ArmedIntent&) = delete;

 private:
  Intent& intent_;
};

Bank::Bank(std::size_t accounts, std::size_t clerks)
    : intents_(clerks), orders_(kQueuedOrders), numbers_(kDrawnNumbers), book_(accounts) {
  for (std::size_t i = 0; i < accounts; ++i) accounts_.push_back(open_account(i));
}

void Bank::serve_as_customer(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](std::uint64_t below) { return random() % below; };
  for (;;) {
    const auto from = static_cast<std::uint32_t>(draw(accounts_.size()));
    const auto step = static_cast<std::uint32_t>(1 + draw(accounts_.size() - 1));
    const auto to = static_cast<std::uint32_t>((from + step) % accounts_.size());
    const auto amount = static_cast<Money>(1 + draw(kLargestOrder));
    if (!orders_.send({from, to, amount})) return;
  }
}

void Bank::serve_as_clerk(std::size_t clerk) {
  while (auto order = orders_.receive()) {
    try {
      transfer(*order, intents_[clerk]);
    } catch (const InsufficientFunds& refusal) {
      // Other threads throw and catch meanwhile; the refusal must still be ours.
      revenant::this_thread::yield();
      if (refusal.wanted() != order->amount) throw std::logic_error("another clerk's exception");
      refused_.fetch_add(1);
    }
  }
}

void Bank::serve_as_notary() {
  for (std::uint64_t number = 1; numbers_.send(number); ++number) {
  }
}

void Bank::transfer(const Order& order, Intent& intent) {
  Account& from = *accounts_[order.from];
  Account& to = *accounts_[order.to];
  std::scoped_lock both(from.mutex(), to.mutex());
  ArmedIntent armed(intent, order, from, to);
  from.withdraw(order.amount, to);
  revenant::this_thread::yield();
  to.deposit(order.amount, from);
  std::scoped_lock writing(book_mutex_);
  intent.number = numbers_.receive().value();
  book_.record({intent.number, order.from, order.to, order.amount});
}

std::optional<std::string> Bank::audit() {
  std::vector<std::unique_lock<revenant::mutex>> held;
  for (const auto& account : accounts_) held.emplace_back(account->mutex());
  std::scoped_lock reading(book_mutex_);
  for (const auto& account : accounts_) {
    if (account->available() < 0) return account->owner() + " spent more than there was";
    for (const std::string& line : account->statement()) {
      if (line.front() != '+' && line.front() != '-') return "a torn statement line: " + line;
    }
  }
  return audit_instant();
}

std::optional<std::string> Bank::audit_instant() const {
  const Book::Balance replayed = book_.replay();
  if (replayed.violation) return replayed.violation;
  const std::vector<Money> balances = balances_before_transfers_under_way();
  Money total = 0;
  for (std::size_t i = 0; i < balances.size(); ++i) {
    const Money implied = kOpening + replayed.gains[i];
    if (balances[i] != implied) {  // I2
      return accounts_[i]->owner() + " has " + std::to_string(balances[i]) +
             ", but the history implies " + std::to_string(implied);
    }
    total += balances[i];
  }
  const Money opened = kOpening * static_cast<Money>(accounts_.size());
  if (total == opened) return std::nullopt;
  return "the total is " + std::to_string(total) + ", not " + std::to_string(opened);
}

// Recorded and still armed: the money has arrived, and the balances are what the book says.
bool Bank::under_way(const Intent& intent) const {
  return intent.armed.load() && (intent.number == 0 || intent.number > book_.recorded());
}

std::vector<Money> Bank::balances_before_transfers_under_way() const {
  std::vector<Money> balances;
  for (const auto& account : accounts_) balances.push_back(account->balance());
  for (const Intent& intent : intents_) {
    if (!under_way(intent)) continue;
    balances[intent.order.from] = intent.from_before;
    balances[intent.order.to] = intent.to_before;
  }
  return balances;
}

}  // namespace ledger
