#include "store/dead_list.h"

#include <cstring>

#include "store/catalog.h"
#include "store/lmdb_environment.h"

namespace revenant::store {
namespace {

constexpr std::size_t kOwnerAt = 1;
constexpr std::size_t kNumberAt = 9;

bool is_chunk_key(std::span<const std::byte> key) {
  return key.size() == kNumberAt + 8 && key[0] == static_cast<std::byte>('d');
}

}  // namespace

base::Status DeadListWriter::add(WriteTransaction& transaction, const DeadEntry& entry) {
  if (entries_.size() == kDeadEntriesPerChunk) REVENANT_TRY(finish(transaction));
  entries_.push_back(entry);
  ++(entry.kind() == DeadKind::kImage ? images_ : nodes_);
  return {};
}

base::Status DeadListWriter::finish(WriteTransaction& transaction) {
  if (entries_.empty()) return {};
  const CatalogKey key = CatalogKey::dead(owner_, next_chunk_++);
  REVENANT_TRY(put_sealed(transaction, key.bytes(), std::as_bytes(std::span(entries_))));
  entries_.clear();
  return {};
}

base::Result<std::vector<DeadChunk>> read_dead_list(const Transaction& transaction,
                                                    base::Epoch owner, std::size_t limit) {
  std::vector<DeadChunk> chunks;
  REVENANT_ASSIGN(Cursor cursor, Cursor::open(transaction, Table::kCatalog));
  Lookup found = cursor.seek(CatalogKey::dead(owner, 0).bytes());
  for (; found == Lookup::kFound && chunks.size() < limit; found = cursor.next()) {
    if (!is_chunk_key(cursor.key()) || key_number(cursor.key(), kOwnerAt) != owner.value) break;
    const auto record = unseal(cursor.key(), cursor.value());
    if (!record || record->size() % sizeof(DeadEntry) != 0) {
      return transaction.environment().damaged("a dead list fails its checksum");
    }
    DeadChunk& chunk = chunks.emplace_back();
    chunk.owner = owner;
    chunk.number = key_number(cursor.key(), kNumberAt);
    chunk.entries.resize(record->size() / sizeof(DeadEntry));
    std::memcpy(chunk.entries.data(), record->data(), record->size());
  }
  if (found == Lookup::kFailed) return transaction.environment().damaged("its catalog is broken");
  return chunks;
}

base::Result<std::vector<base::Epoch>> dead_list_owners(const Transaction& transaction) {
  std::vector<base::Epoch> owners;
  REVENANT_ASSIGN(Cursor cursor, Cursor::open(transaction, Table::kCatalog));
  Lookup found = cursor.seek(CatalogKey::dead(base::kNoEpoch, 0).bytes());
  while (found == Lookup::kFound && is_chunk_key(cursor.key())) {
    owners.push_back({key_number(cursor.key(), kOwnerAt)});
    found = cursor.seek(CatalogKey::dead(owners.back().next(), 0).bytes());
  }
  if (found == Lookup::kFailed) return transaction.environment().damaged("its catalog is broken");
  return owners;
}

base::Status erase_chunk(WriteTransaction& transaction, const DeadChunk& chunk) {
  return transaction.erase(Table::kCatalog, CatalogKey::dead(chunk.owner, chunk.number).bytes());
}

}  // namespace revenant::store
