#include "store/creation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "store/catalog.h"
#include "store/files.h"

namespace revenant::store {
namespace {

constexpr std::array<const char*, 5> kFiles{"data.mdb", "lock.mdb", "identity", "identity.new",
                                            "lock"};

std::string temporary_prefix(const std::filesystem::path& path) {
  return "." + path.filename().string() + ".new-";
}

// Only files that a creator makes are removed: a directory with anything else in it stays.
void remove_store_directory(const std::filesystem::path& directory) {
  for (const char* name : kFiles) ::unlink((directory / name).c_str());
  ::rmdir(directory.c_str());
}

// Everything inside the temporary directory, synced.
base::Result<OwnedStore> fill(const std::filesystem::path& directory,
                              const std::filesystem::path& path, const std::string& program,
                              std::uint64_t map_bytes) {
  OwnedStore store;
  store.created = true;
  REVENANT_ASSIGN(store.lock, OwnerLock::take(directory, path));  // I1
  REVENANT_ASSIGN(store.identity, draw_identity(program));
  REVENANT_ASSIGN(store.environment,
                  LmdbEnvironment::open(
                      {.path = directory, .name = path, .map_bytes = map_bytes, .create = true}));
  REVENANT_ASSIGN(auto transaction, store.environment->begin_write());
  REVENANT_TRY(write_state(transaction, StateBytes{}));
  REVENANT_TRY(transaction.commit());
  store.identity.least_data_size = store.environment->committed_size();
  REVENANT_TRY(write_identity(directory, store.identity));
  REVENANT_TRY(sync_path(directory / "data.mdb"));
  REVENANT_TRY(sync_path(directory));
  return store;
}

base::Result<std::filesystem::path> make_temporary(const std::filesystem::path& path) {
  std::string name = (path.parent_path() / (temporary_prefix(path) + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) return file_error(path, "creating the store", errno);
  return std::filesystem::path(name);
}

}  // namespace

base::Result<std::optional<OwnedStore>> create_store(const std::filesystem::path& path,
                                                     const std::string& program,
                                                     std::uint64_t map_bytes) {
  REVENANT_ASSIGN(const std::filesystem::path temporary, make_temporary(path));
  auto filled = fill(temporary, path, program, map_bytes);
  if (!filled.ok()) {
    remove_store_directory(temporary);
    return filled.error();
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int cause = errno;
    filled->environment.reset();
    remove_store_directory(temporary);
    if (cause == ENOTEMPTY || cause == EEXIST) return std::optional<OwnedStore>();  // I2
    return file_error(path, "creating the store", cause);
  }
  filled->environment->moved_to(path);
  REVENANT_TRY(sync_path(path.parent_path()));
  return std::optional<OwnedStore>(std::move(*filled));
}

void remove_leftovers(const std::filesystem::path& path) {
  std::error_code failed;
  const std::string prefix = temporary_prefix(path);
  for (std::filesystem::directory_iterator entry(path.parent_path(), failed), end;
       !failed && entry != end; entry.increment(failed)) {
    if (!entry->path().filename().string().starts_with(prefix)) continue;
    const auto lock = OwnerLock::take(entry->path(), path);
    if (lock.ok()) remove_store_directory(entry->path());  // I3
  }
}

}  // namespace revenant::store
