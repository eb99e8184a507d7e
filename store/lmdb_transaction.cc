#include "store/lmdb_transaction.h"

#include <lmdb.h>

#include <cstring>

#include "base/check.h"
#include "store/lmdb_environment.h"
#include "store/lmdb_layout.h"

namespace revenant::store {
namespace {

MDB_val to_value(std::span<const std::byte> bytes) {
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};
}

std::span<const std::byte> to_span(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

constexpr const char* kBrokenImage = "a page with an image is not what its table says";

Lookup to_lookup(int code) {
  if (code == MDB_SUCCESS) return Lookup::kFound;
  return code == MDB_NOTFOUND ? Lookup::kMissing : Lookup::kFailed;
}

unsigned handle_of(const TableHandles& tables, Table table) {
  return tables[static_cast<std::size_t>(table)];
}

}  // namespace

Transaction::Transaction(LmdbEnvironment& environment, MDB_txn* handle)
    : environment_(&environment), handle_(handle) {
  environment_->live_transactions_.fetch_add(1, std::memory_order_relaxed);
}

Transaction::Transaction(Transaction&& other) noexcept
    : environment_(other.environment_), handle_(std::exchange(other.handle_, nullptr)) {}

Transaction& Transaction::operator=(Transaction&& other) noexcept {
  if (this == &other) return *this;
  end();
  environment_ = other.environment_;
  handle_ = std::exchange(other.handle_, nullptr);
  return *this;
}

Transaction::~Transaction() { end(); }

void Transaction::end() {
  if (handle_ == nullptr) return;
  mdb_txn_abort(std::exchange(handle_, nullptr));
  environment_->live_transactions_.fetch_sub(1, std::memory_order_relaxed);
}

Lookup Transaction::get(Table table, std::span<const std::byte> key,
                        std::span<const std::byte>& value) const noexcept {
  MDB_val wanted = to_value(key);
  MDB_val found{};
  const int code = mdb_get(handle_, handle_of(environment_->tables_, table), &wanted, &found);
  if (code == MDB_SUCCESS && found.mv_size > kLongestValue) return Lookup::kFailed;  // format.h I2
  if (code == MDB_SUCCESS) value = to_span(found);
  return to_lookup(code);
}

// I3. A page that this transaction has changed is LMDB's own, and not of the file.
bool Transaction::is_whole(std::span<const std::byte> image) const noexcept {
  if (image.size() != kImageValueSize) return false;
  const std::byte* const page = image.data() - kLmdbHeaderSize;
  LmdbPageHeader header;
  std::memcpy(&header, page, sizeof header);
  const std::byte* const map = environment_->map_start();
  const bool numbered = (header.flags & kLmdbChanged) != 0 || map == nullptr ||
                        page == map + header.number * kLmdbPageSize;
  return numbered && (header.flags & kLmdbValue) != 0 && header.pages() == 1;
}

void ReadTransaction::reset() noexcept { mdb_txn_reset(handle_); }

// LMDB notes the newest commit's number and then reads the one of two meta pages it is in. Whoever
// loses the core in between finds the page of the next commit but one there, which may not have
// happened yet: a later transaction could see an older state.
bool ReadTransaction::renew() noexcept {
  while (mdb_txn_renew(handle_) == MDB_SUCCESS) {
    MDB_envinfo info;
    mdb_env_info(mdb_txn_env(handle_), &info);
    if (info.me_last_txnid <= mdb_txn_id(handle_) + 1) return true;
    mdb_txn_reset(handle_);
  }
  return false;
}

base::Status WriteTransaction::put_with(Table table, std::span<const std::byte> key,
                                        std::span<const std::byte> value, unsigned flags) {
  REVENANT_DCHECK(value.size() <= kLongestValue);  // format.h I2
  MDB_val key_value = to_value(key);
  MDB_val data = to_value(value);
  const int code =
      mdb_put(handle_, handle_of(environment_->tables_, table), &key_value, &data, flags);
  if (code != MDB_SUCCESS) return environment_->error(code, "writing a record");
  return {};
}

base::Status WriteTransaction::put(Table table, std::span<const std::byte> key,
                                   std::span<const std::byte> value) {
  return put_with(table, key, value, 0);
}

base::Status WriteTransaction::append(Table table, std::uint64_t key,
                                      std::span<const std::byte> value) {
  return put_with(table, integer_key(key), value, MDB_APPEND);
}

base::Status WriteTransaction::erase(Table table, std::span<const std::byte> key) {
  std::span<const std::byte> image;
  if (table == Table::kImages && get(table, key, image) == Lookup::kFound && !is_whole(image)) {
    return environment_->damaged(kBrokenImage);
  }
  MDB_val key_value = to_value(key);
  const int code = mdb_del(handle_, handle_of(environment_->tables_, table), &key_value, nullptr);
  if (code != MDB_SUCCESS && code != MDB_NOTFOUND) {
    return environment_->error(code, "removing a record");
  }
  return {};
}

base::Status WriteTransaction::commit() {
  const int code = mdb_txn_commit(std::exchange(handle_, nullptr));
  environment_->live_transactions_.fetch_sub(1, std::memory_order_relaxed);
  if (code != MDB_SUCCESS) return environment_->error(code, "committing");
  environment_->complete_commit();
  return {};
}

base::Result<Cursor> Cursor::open(const Transaction& transaction, Table table) {
  MDB_cursor* handle = nullptr;
  LmdbEnvironment* environment = transaction.environment_;
  const int code =
      mdb_cursor_open(transaction.handle_, handle_of(environment->tables_, table), &handle);
  if (code != MDB_SUCCESS) return environment->error(code, "reading a table");
  return Cursor(handle, transaction, table);
}

Cursor::~Cursor() {
  if (handle_ != nullptr) mdb_cursor_close(handle_);
}

bool Cursor::renew(const ReadTransaction& transaction) noexcept {
  transaction_ = &transaction;
  return mdb_cursor_renew(transaction.handle_, handle_) == MDB_SUCCESS;
}

Lookup Cursor::move(int operation) {
  MDB_val key = to_value(key_);
  MDB_val value{};
  const int code = mdb_cursor_get(handle_, &key, &value, static_cast<MDB_cursor_op>(operation));
  if (code == MDB_SUCCESS) {
    key_ = to_span(key);
    value_ = to_span(value);
  }
  return to_lookup(code);
}

Lookup Cursor::seek(std::span<const std::byte> key) {
  key_ = key;
  return move(MDB_SET_RANGE);
}

Lookup Cursor::next() { return move(MDB_NEXT); }

Lookup Cursor::last() { return move(MDB_LAST); }

std::optional<std::uint64_t> Cursor::integer() const noexcept {
  std::uint64_t key = 0;
  if (key_.size() != sizeof key) return std::nullopt;
  std::memcpy(&key, key_.data(), sizeof key);
  return key;
}

base::Status Cursor::erase() {
  if (table_ == Table::kImages && !transaction_->is_whole(value_)) {
    return environment_->damaged(kBrokenImage);
  }
  const int code = mdb_cursor_del(handle_, 0);
  if (code != MDB_SUCCESS) return environment_->error(code, "removing a record");
  return {};
}

}  // namespace revenant::store
