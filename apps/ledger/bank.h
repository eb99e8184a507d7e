// Moves money between accounts, and can prove at any instant that none was lost.
//
//   customers --orders--> clerks: lock two accounts --> withdraw --> (yield) --> deposit --> record
//   notary ----numbers------------------------------------------------------------------------^
//
// While a clerk moves money its intent says what the two balances were: an instant in the middle of
// a transfer is judged by those.
//
// I1  An intent is armed before a balance changes, and until the transfer is in the book.
// I2  For each account: its balance, or the one before an unrecorded transfer, is what it was
//     opened with and what the book says it gained. Hence the total never changes.
// I3  Numbers come from one notary, over a channel: one lost or sent twice breaks the book's B1.
//
// Locks, in this order: accounts' mutexes (two at once by std::scoped_lock, all in order of their
// position), then the book's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "account.h"
#include "book.h"

namespace ledger {

struct Order {
  std::uint32_t from;
  std::uint32_t to;
  Money amount;
};

class Bank {
 public:
  Bank(std::size_t accounts, std::size_t clerks);

  // One thread each, without end.
  void serve_as_customer(std::uint64_t seed);
  void serve_as_clerk(std::size_t clerk);
  void serve_as_notary();

  [[nodiscard]] std::uint64_t transfers() const { return book_.recorded(); }

  // A sentence if anything is not as it must be. The first takes all locks; the second is for when
  // no other thread runs, whatever each of them was doing.
  std::optional<std::string> audit();
  [[nodiscard]] std::optional<std::string> audit_instant() const;

 private:
  // What a clerk is about to change. I1
  struct Intent {
    Order order{};
    Money from_before = 0;
    Money to_before = 0;
    std::uint64_t number = 0;  // once drawn
    std::atomic<bool> armed = false;
  };
  class ArmedIntent;

  void transfer(const Order& order, Intent& intent);
  [[nodiscard]] bool under_way(const Intent& intent) const;
  [[nodiscard]] std::vector<Money> balances_before_transfers_under_way() const;

  std::vector<std::unique_ptr<Account>> accounts_;
  std::vector<Intent> intents_;
  revenant::channel<Order> orders_;
  revenant::channel<std::uint64_t> numbers_;
  revenant::mutex book_mutex_;
  Book book_;
  std::atomic<std::uint64_t> refused_ = 0;
};

}  // namespace ledger
