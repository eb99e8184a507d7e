// Whom money belongs to, and how much of it may be taken out.
//
// A1  balance() is never below -credit: withdraw() throws before it changes anything.
//
// Guarded by the account's own mutex, which the caller holds.
#pragma once

#include <revenant/revenant.h>

#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>

namespace ledger {

using Money = std::int64_t;

class InsufficientFunds : public std::runtime_error {
 public:
  InsufficientFunds(const std::string& owner, Money wanted)
      : std::runtime_error(owner + " cannot pay " + std::to_string(wanted)), wanted_(wanted) {}
  [[nodiscard]] Money wanted() const { return wanted_; }

 private:
  Money wanted_;
};

class Account {
 public:
  Account(std::string owner, Money opening) : owner_(std::move(owner)), balance_(opening) {}
  virtual ~Account() = default;
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  void withdraw(Money amount, const Account& payee) {
    if (amount > available()) throw InsufficientFunds(owner_, amount);  // A1
    balance_ -= amount;
    note("-" + std::to_string(amount) + " to " + payee.owner_);
  }
  void deposit(Money amount, const Account& payer) {
    balance_ += amount;
    note("+" + std::to_string(amount) + " from " + payer.owner_);
  }

  // What may be taken out at once.
  [[nodiscard]] virtual Money available() const = 0;
  [[nodiscard]] Money balance() const { return balance_; }
  [[nodiscard]] const std::string& owner() const { return owner_; }
  // The last few movements, oldest first.
  [[nodiscard]] const std::deque<std::string>& statement() const { return statement_; }
  revenant::mutex& mutex() { return mutex_; }

 private:
  static constexpr std::size_t kStatementLines = 8;

  void note(std::string line) {
    statement_.push_back(std::move(line));
    if (statement_.size() > kStatementLines) statement_.pop_front();
  }

  const std::string owner_;
  Money balance_;
  std::deque<std::string> statement_;
  revenant::mutex mutex_;
};

class SavingsAccount final : public Account {
 public:
  using Account::Account;
  [[nodiscard]] Money available() const override { return balance(); }
};

class CurrentAccount final : public Account {
 public:
  CurrentAccount(std::string owner, Money opening, Money credit)
      : Account(std::move(owner), opening), credit_(credit) {}
  [[nodiscard]] Money available() const override { return balance() + credit_; }

 private:
  const Money credit_;
};

}  // namespace ledger
