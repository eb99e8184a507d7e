#include "store/catalog.h"

#include <array>
#include <string>

#include "store/lmdb_environment.h"

namespace revenant::store {
namespace {

template <class T>
std::span<const std::byte> bytes_of(const T& record) {
  return std::as_bytes(std::span(&record, 1));
}

// The record under `key`, or nothing if there is none.
template <class T>
base::Result<std::optional<T>> read_sealed(const Transaction& transaction, const CatalogKey& key,
                                           const char* what) {
  std::span<const std::byte> value;
  switch (transaction.get(Table::kCatalog, key.bytes(), value)) {
    case Lookup::kMissing:
      return std::optional<T>();
    case Lookup::kFailed:
      return transaction.environment().damaged(what);
    case Lookup::kFound:
      break;
  }
  const auto record = unseal(key.bytes(), value);
  if (!record || record->size() != sizeof(T)) return transaction.environment().damaged(what);
  T result;
  std::memcpy(&result, record->data(), sizeof result);
  return std::optional<T>(result);
}

template <class T>
base::Result<std::vector<NamedRevision>> read_named(const Transaction& transaction, char letter) {
  std::vector<NamedRevision> result;
  REVENANT_TRY(for_each_sealed(
      transaction, letter,
      [&](std::span<const std::byte> key, std::span<const std::byte> record) -> base::Status {
        T named;
        if (record.size() != sizeof named) {
          return transaction.environment().damaged("the record of a name has a wrong size");
        }
        std::memcpy(&named, record.data(), sizeof named);
        const auto* text = reinterpret_cast<const char*>(key.data());
        result.push_back({std::string(text + 1, key.size() - 1), {named.revision}});
        return {};
      }));
  return result;
}

}  // namespace

base::Status put_sealed(WriteTransaction& transaction, std::span<const std::byte> key,
                        std::span<const std::byte> record) {
  std::array<std::byte, kLongestValue> value;
  const Seal seal = seal_of(key, record);
  std::memcpy(value.data(), record.data(), record.size());
  std::memcpy(value.data() + record.size(), &seal, sizeof seal);
  return transaction.put(Table::kCatalog, key, std::span(value).first(record.size() + sizeof seal));
}

base::Status for_each_sealed(const Transaction& transaction, char letter,
                             const CatalogVisitor& visitor) {
  REVENANT_ASSIGN(Cursor cursor, Cursor::open(transaction, Table::kCatalog));
  Lookup found = cursor.seek(std::as_bytes(std::span(&letter, 1)));
  for (; found == Lookup::kFound; found = cursor.next()) {
    if (cursor.key().empty() || cursor.key()[0] != static_cast<std::byte>(letter)) return {};
    const auto record = unseal(cursor.key(), cursor.value());
    if (!record) return transaction.environment().damaged("a catalog record fails its checksum");
    REVENANT_TRY(visitor(cursor.key(), *record));
  }
  if (found == Lookup::kFailed) return transaction.environment().damaged("its catalog is broken");
  return {};
}

base::Result<StateBytes> read_state(const Transaction& transaction) {
  constexpr const char* kWhat = "its counters are missing or fail their checksum";
  REVENANT_ASSIGN(const auto state,
                  read_sealed<StateBytes>(transaction, CatalogKey::state(), kWhat));
  if (!state) return transaction.environment().damaged(kWhat);  // I1
  return *state;
}

base::Status write_state(WriteTransaction& transaction, const StateBytes& state) {
  return put_sealed(transaction, CatalogKey::state().bytes(), bytes_of(state));
}

base::Result<std::optional<HeadBytes>> read_head(const Transaction& transaction,
                                                 std::string_view branch) {
  return read_sealed<HeadBytes>(transaction, CatalogKey::head(branch),
                                "the head of a branch fails its checksum");
}

base::Status write_head(WriteTransaction& transaction, std::string_view branch,
                        const HeadBytes& head) {
  return put_sealed(transaction, CatalogKey::head(branch).bytes(), bytes_of(head));
}

base::Result<SnapshotBytes> read_snapshot(const Transaction& transaction, base::Epoch revision) {
  REVENANT_ASSIGN(const auto snapshot,
                  read_sealed<SnapshotBytes>(transaction, CatalogKey::snapshot(revision),
                                             "the record of a snapshot fails its checksum"));
  if (!snapshot) {
    return base::Error{base::ErrorCode::kNoSuchRevision,
                       "the store " + transaction.environment().path().string() +
                           " has no revision " + std::to_string(revision.value) +
                           "; `revenant log` lists those it keeps"};
  }
  return *snapshot;
}

base::Status write_snapshot(WriteTransaction& transaction, const SnapshotBytes& snapshot) {
  return put_sealed(transaction, CatalogKey::snapshot({snapshot.revision}).bytes(),
                    bytes_of(snapshot));
}

base::Result<std::vector<SnapshotBytes>> read_snapshots(const Transaction& transaction) {
  std::vector<SnapshotBytes> result;
  REVENANT_TRY(for_each_sealed(
      transaction, 's',
      [&](std::span<const std::byte>, std::span<const std::byte> record) -> base::Status {
        if (record.size() != sizeof(SnapshotBytes)) {
          return transaction.environment().damaged("the record of a snapshot has a wrong size");
        }
        std::memcpy(&result.emplace_back(), record.data(), sizeof(SnapshotBytes));
        return {};
      }));
  return result;
}

base::Result<std::optional<TagBytes>> read_tag(const Transaction& transaction,
                                               std::string_view name) {
  return read_sealed<TagBytes>(transaction, CatalogKey::tag(name), "a tag fails its checksum");
}

base::Status write_tag(WriteTransaction& transaction, std::string_view name, const TagBytes& tag) {
  return put_sealed(transaction, CatalogKey::tag(name).bytes(), bytes_of(tag));
}

base::Result<std::vector<NamedRevision>> read_heads(const Transaction& transaction) {
  return read_named<HeadBytes>(transaction, 'h');
}

base::Result<std::vector<NamedRevision>> read_tags(const Transaction& transaction) {
  return read_named<TagBytes>(transaction, 't');
}

}  // namespace revenant::store
