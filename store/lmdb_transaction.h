// Transactions and cursors over the three tables.
//
//   ReadTransaction   sees the commit that was newest when it began or was renewed
//   WriteTransaction  sees its own changes; commit() makes them durable all at once
//   Cursor            walks one table in key order inside either
//
// I1  Bytes handed out live until the transaction ends, and in a write transaction until its next
//     change: copy what must last longer.
// I2  A transaction that is not committed leaves nothing.
// I3  An image is erased only from a page that says what LMDB takes it for: it frees as many pages
//     from there as the page itself counts.
//
// get(), reset() and renew() allocate nothing and take no lock: a fault handler may call them. The
// rest may not be called in one.
//
// Threads: a write transaction belongs to the thread that began it; a read transaction to whoever
// holds it, one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/result.h"
#include "store/format.h"

struct MDB_txn;
struct MDB_cursor;

namespace revenant::store {

class LmdbEnvironment;

enum class Table : std::uint8_t { kImages, kNodes, kCatalog };
inline constexpr std::size_t kTableCount = 3;
using TableHandles = std::array<unsigned, kTableCount>;

enum class Lookup : std::uint8_t { kFound, kMissing, kFailed };

// Keys of images and nodes, as LMDB wants integer keys: native and 8 bytes wide.
inline std::span<const std::byte> integer_key(const std::uint64_t& key) {
  return std::as_bytes(std::span(&key, 1));
}

class Transaction {
 public:
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) noexcept;

  Lookup get(Table table, std::span<const std::byte> key,
             std::span<const std::byte>& value) const noexcept;

  [[nodiscard]] LmdbEnvironment& environment() const { return *environment_; }
  [[nodiscard]] bool live() const { return handle_ != nullptr; }

 protected:
  friend class Cursor;
  friend class LmdbEnvironment;
  Transaction(LmdbEnvironment& environment, MDB_txn* handle);
  void end();
  [[nodiscard]] bool is_whole(std::span<const std::byte> image) const noexcept;

  LmdbEnvironment* environment_;
  MDB_txn* handle_;
};

class ReadTransaction : public Transaction {
 public:
  // Lets the past go, keeping the reader slot.
  void reset() noexcept;
  // Takes hold of the newest commit. False when the environment is dead.
  [[nodiscard]] bool renew() noexcept;

 private:
  friend class LmdbEnvironment;
  using Transaction::Transaction;
};

class WriteTransaction : public Transaction {
 public:
  base::Status put(Table table, std::span<const std::byte> key, std::span<const std::byte> value);
  // For a key beyond all others of its table: fills pages from the left, and does not search.
  base::Status append(Table table, std::uint64_t key, std::span<const std::byte> value);
  // Erasing what is not there is well.
  base::Status erase(Table table, std::span<const std::byte> key);
  base::Status commit();
  void abort() { end(); }

 private:
  friend class LmdbEnvironment;
  using Transaction::Transaction;
  base::Status put_with(Table table, std::span<const std::byte> key,
                        std::span<const std::byte> value, unsigned flags);
};

// Positions: before the first seek, on an entry, or past the end.
class Cursor {
 public:
  static base::Result<Cursor> open(const Transaction& transaction, Table table);
  ~Cursor();
  Cursor(Cursor&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)),
        environment_(other.environment_),
        transaction_(other.transaction_),
        table_(other.table_) {}
  Cursor& operator=(Cursor&&) = delete;

  // For another transaction, of readers: the cursor is nowhere then. Allocates nothing. False when
  // the environment is dead.
  [[nodiscard]] bool renew(const ReadTransaction& transaction) noexcept;

  // To the first entry whose key is at or after `key`. kMissing: there is none.
  Lookup seek(std::span<const std::byte> key);
  Lookup next();
  // To the last entry of the table.
  Lookup last();
  [[nodiscard]] std::span<const std::byte> key() const { return key_; }
  // The same in the tables of images and nodes; nothing if it has not the size of one.
  [[nodiscard]] std::optional<std::uint64_t> integer() const noexcept;
  [[nodiscard]] std::span<const std::byte> value() const { return value_; }
  // Removes the entry; next() then goes to the one after it.
  base::Status erase();

 private:
  Cursor(MDB_cursor* handle, const Transaction& transaction, Table table)
      : handle_(handle),
        environment_(transaction.environment_),
        transaction_(&transaction),
        table_(table) {}
  Lookup move(int operation);

  MDB_cursor* handle_;
  LmdbEnvironment* environment_;
  const Transaction* transaction_;
  Table table_;
  std::span<const std::byte> key_;
  std::span<const std::byte> value_;
};

}  // namespace revenant::store
