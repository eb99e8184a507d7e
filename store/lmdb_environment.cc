#include "store/lmdb_environment.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "base/memory_limits.h"
#include "store/files.h"
#include "store/format.h"
#include "store/lmdb_layout.h"
#include "store/lmdb_meta.h"
#include "store/open_directories.h"
#include "store/owner_lock.h"
#include "store/store_call.h"

namespace revenant::store {
namespace {

constexpr std::array<const char*, kTableCount> kTableNames{"images", "nodes", "catalog"};
constexpr std::array<unsigned, kTableCount> kTableFlags{MDB_INTEGERKEY, MDB_INTEGERKEY, 0};
// Fault handlers' pool, views, and the tools of other processes.
constexpr unsigned kReaderSlots = 1000;
// What LMDB makes of lock.mdb for as many: a header of 128 bytes, and 64 for each.
constexpr off_t kLockFileBytes = 128 + kReaderSlots * 64;

base::Error open_here(const std::filesystem::path& path) {
  return {base::ErrorCode::kStoreInUse,
          "the store " + path.string() + " is in use by this very process; close it first"};
}

// LMDB says EIO of every short write, quota and limits included: what the file says when it is to
// grow, or EIO.
int cause_of_short_write(MDB_env* handle) {
  constexpr off_t kProbeBytes = 1 << 20;
  mdb_filehandle_t file = -1;
  struct stat status {};
  if (handle == nullptr || mdb_env_get_fd(handle, &file) != MDB_SUCCESS) return EIO;
  if (::fstat(file, &status) != 0) return EIO;
  const int code = ::posix_fallocate(file, status.st_size, kProbeBytes);
  (void)!::ftruncate(file, status.st_size);
  return is_no_space(code) ? code : EIO;
}

// LMDB does not tell: from the page with the counters, which has just been found whole.
const std::byte* find_map(MDB_txn* transaction, unsigned catalog) {
  const CatalogKey counters = CatalogKey::state();
  MDB_val key{counters.bytes().size(), const_cast<std::byte*>(counters.bytes().data())};
  MDB_val value{};
  if (mdb_get(transaction, catalog, &key, &value) != MDB_SUCCESS) return nullptr;
  const auto* const at = static_cast<const std::byte*>(value.mv_data);
  const std::byte* const page = at - reinterpret_cast<std::uintptr_t>(at) % kLmdbPageSize;
  LmdbPageHeader header;
  std::memcpy(&header, page, sizeof header);
  return page - header.number * kLmdbPageSize;
}

base::ErrorCode classify(int code) {
  switch (code) {
    case MDB_MAP_FULL:
      return base::ErrorCode::kNoSpace;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_VALSIZE:
      return base::ErrorCode::kStoreDamaged;
    default:
      return is_no_space(code) ? base::ErrorCode::kNoSpace : base::ErrorCode::kIoFailed;
  }
}

std::string way_out(int code, const std::string& of_damage) {
  if (code == MDB_MAP_FULL) return "let it be larger by more address space (ulimit -v)";
  switch (classify(code)) {
    case base::ErrorCode::kNoSpace:
      return way_out_of_no_space(code);
    case base::ErrorCode::kStoreDamaged:
      return of_damage;
    default:
      return "check its disk and permissions";
  }
}

}  // namespace

base::Status LmdbEnvironment::check_not_open(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 ||
      !OpenDirectories::of_process().contains(status.st_dev, status.st_ino)) {
    return {};
  }
  return open_here(path);
}

base::Result<std::unique_ptr<LmdbEnvironment>> LmdbEnvironment::open(
    const EnvironmentOptions& options) {
  std::unique_ptr<LmdbEnvironment> environment(new LmdbEnvironment(options));
  struct stat status {};
  if (::stat(options.path.c_str(), &status) != 0) {
    return environment->error(errno, "looking at its directory");
  }
  environment->device_ = status.st_dev;
  environment->inode_ = status.st_ino;
  environment->registered_ = OpenDirectories::of_process().add(status.st_dev, status.st_ino);
  if (!environment->registered_) {
    return open_here(options.path);
  }
  REVENANT_TRY(environment->open_handle());
  return environment;
}

LmdbEnvironment::~LmdbEnvironment() {
  close_handle();
  if (registered_) OpenDirectories::of_process().remove(device_, inode_);
}

base::Status LmdbEnvironment::open_handle() {
  // Dead, and tried again, rather than alive without tables: after an error, and without memory.
  const auto close = [](LmdbEnvironment* half_open) { half_open->close_handle(); };
  std::unique_ptr<LmdbEnvironment, decltype(close)> unless_whole(this, close);
  if (!options_.create) REVENANT_TRY(check_lmdb_metas(options_.path));  // I3
  REVENANT_TRY(allocate_lock_file());                                   // I6
  std::uint64_t map_bytes = options_.map_bytes;
  while (true) {
    auto opened = create_handle(map_bytes);
    if (opened.ok()) {
      handle_ = *opened;
      break;
    }
    // Less address space than asked for, as under `ulimit -v`: a smaller map does.
    if (errno != ENOMEM) return opened.error();
    if (map_bytes <= kSmallestMap) {
      return base::Error{base::ErrorCode::kUnsupportedHost,
                         sentence_start() + "it cannot be mapped: " + base::why_no_memory()};
    }
    map_bytes /= 2;
  }
  check_readers();
  trees_checked_ = options_.create;
  if (!options_.read_only) REVENANT_TRY(lock_data());                            // I8
  if (!options_.create) REVENANT_TRY(check_structure(StructureExtent::kSpine));  // I7
  REVENANT_TRY(open_tables());
  if (!options_.read_only) REVENANT_TRY(take_presence());
  if (!options_.read_only) lengthen_data(CommitOf::kAnother);
  (void)unless_whole.release();
  return {};
}

base::Status LmdbEnvironment::lock_data() const {
  mdb_filehandle_t file = -1;
  if (mdb_env_get_fd(handle_, &file) != MDB_SUCCESS) return {};
  return lock_data_file(file, options_.name.empty() ? options_.path : options_.name);
}

// A file system that allocates nothing ahead, or a store that may only be read, is LMDB's to judge.
base::Status LmdbEnvironment::allocate_lock_file() const {
  const std::filesystem::path path = options_.path / "lock.mdb";
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid() || ::fallocate(file.get(), 0, 0, kLockFileBytes) == 0) return {};
  if (!is_no_space(errno)) return {};
  return error(errno, "opening it");
}

base::Result<MDB_env*> LmdbEnvironment::create_handle(std::uint64_t map_bytes) {
  MDB_env* handle = nullptr;
  int code = mdb_env_create(&handle);
  if (code == MDB_SUCCESS) {
    code = mdb_env_set_assert(handle,
                              [](MDB_env*, const char*) { StoreCall::note_failed_assertion(); });
  }
  if (code == MDB_SUCCESS) code = mdb_env_set_maxdbs(handle, kTableCount);
  if (code == MDB_SUCCESS) code = mdb_env_set_maxreaders(handle, kReaderSlots);
  if (code == MDB_SUCCESS) code = mdb_env_set_mapsize(handle, map_bytes);
  unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
  if (options_.read_only) flags |= MDB_RDONLY;
  if (code == MDB_SUCCESS) code = mdb_env_open(handle, options_.path.c_str(), flags, 0600);
  if (code == MDB_SUCCESS) return handle;
  mdb_env_close(handle);
  base::Error failure = error(code, "opening it");
  errno = code;
  return failure;
}

base::Status LmdbEnvironment::open_tables() {
  MDB_txn* transaction = nullptr;
  int code = mdb_txn_begin(handle_, nullptr, options_.create ? 0 : MDB_RDONLY, &transaction);
  if (code != MDB_SUCCESS) return error(code, "opening its tables");
  const unsigned make = options_.create ? MDB_CREATE : 0;
  for (std::size_t table = 0; table < kTableCount && code == MDB_SUCCESS; ++table) {
    code =
        mdb_dbi_open(transaction, kTableNames[table], kTableFlags[table] | make, &tables_[table]);
  }
  if (code == MDB_SUCCESS) {
    code = mdb_txn_commit(transaction);
  } else {
    mdb_txn_abort(transaction);
  }
  if (code == MDB_NOTFOUND) return damaged("a table is missing from its data.mdb");
  if (code != MDB_SUCCESS) return error(code, "opening its tables");
  if (options_.create) seal_newest_meta();
  options_.create = false;
  return {};
}

base::Status LmdbEnvironment::take_presence() {
  MDB_txn* transaction = nullptr;  // LMDB takes its lock for the first one that reads
  const int code = mdb_txn_begin(handle_, nullptr, MDB_RDONLY, &transaction);
  if (code != MDB_SUCCESS) return error(code, "beginning to read");
  map_start_ = find_map(transaction, tables_[static_cast<std::size_t>(Table::kCatalog)]);
  mdb_txn_abort(transaction);
  REVENANT_ASSIGN(presence_, LmdbPresence::take(options_.path));  // I5
  return {};
}

void LmdbEnvironment::close_handle() {
  presence_ = LmdbPresence();
  if (handle_ != nullptr) mdb_env_close(std::exchange(handle_, nullptr));
}

base::Result<WriteTransaction> LmdbEnvironment::begin_write() {
  if (handle_ == nullptr) return unavailable();
  if (!trees_checked_) {
    REVENANT_TRY(check_structure(StructureExtent::kTrees));
    seal_newest_meta();  // whoever committed it may have been killed before
    trees_checked_ = true;
  }
  MDB_txn* transaction = nullptr;
  const int code = mdb_txn_begin(handle_, nullptr, 0, &transaction);
  if (code != MDB_SUCCESS) return error(code, "beginning a transaction");
  return WriteTransaction(*this, transaction);
}

base::Result<ReadTransaction> LmdbEnvironment::begin_read() {
  if (handle_ == nullptr) return unavailable();
  MDB_txn* transaction = nullptr;
  int code = mdb_txn_begin(handle_, nullptr, MDB_RDONLY, &transaction);
  if (code == MDB_READERS_FULL) {
    check_readers();
    code = mdb_txn_begin(handle_, nullptr, MDB_RDONLY, &transaction);
  }
  if (code != MDB_SUCCESS) return error(code, "beginning to read");
  return ReadTransaction(*this, transaction);
}

bool LmdbEnvironment::dead() const {
  if (handle_ == nullptr) return true;
  MDB_txn* transaction = nullptr;
  const int code = mdb_txn_begin(handle_, nullptr, MDB_RDONLY, &transaction);
  if (code == MDB_SUCCESS) mdb_txn_abort(transaction);
  return code == MDB_PANIC;
}

base::Status LmdbEnvironment::reopen() {
  if (live_transactions_.load() != 0) {  // I2
    return base::Error{base::ErrorCode::kIoFailed,
                       "the store " + options_.path.string() +
                           " met an I/O error and is still being read; it is opened again once the "
                           "readers of this process are done"};
  }
  close_handle();
  return open_handle();
}

base::Status LmdbEnvironment::check_structure(StructureExtent extent) {
  // A commit leaves the meta pages when the owner has made two more: then a newer one is looked at.
  constexpr int kLooks = 1000;
  mdb_filehandle_t file = -1;
  if (handle_ == nullptr || mdb_env_get_fd(handle_, &file) != MDB_SUCCESS) return unavailable();
  for (int look = 0; look < kLooks; ++look) {
    REVENANT_ASSIGN(const auto transaction, begin_read());
    const StructureVerdict verdict =
        check_lmdb_structure(file, mdb_txn_id(transaction.handle_), extent);
    if (verdict.failed_read != 0) {
      return file_error(options_.path / "data.mdb", "reading", verdict.failed_read);
    }
    if (verdict.finding) return damaged(*verdict.finding);
    if (verdict.checked) return {};
  }
  return base::Error{
      base::ErrorCode::kIoFailed,
      sentence_start() + "its owner commits faster than it can be checked; try again"};
}

void LmdbEnvironment::check_readers() {
  int freed = 0;
  if (handle_ != nullptr) (void)mdb_reader_check(handle_, &freed);
}

base::Status LmdbEnvironment::check_place() const {
  mdb_filehandle_t file = -1;
  if (handle_ == nullptr || mdb_env_get_fd(handle_, &file) != MDB_SUCCESS) return {};
  const DataPlace::Finding found = place_.look(options_.path / "data.mdb", file);
  if (found == DataPlace::Finding::kThere) return {};
  return base::Error{base::ErrorCode::kIoFailed,
                     sentence_start() +
                         (found == DataPlace::Finding::kAnother ? "another one lies in its place"
                                                                : "it was removed or moved away") +
                         ", and what is committed would be found by no later start; move it back, "
                         "or end the program"};
}

void LmdbEnvironment::complete_commit() const {
  seal_newest_meta();
  lengthen_data(CommitOf::kThis);
}

// I3
void LmdbEnvironment::seal_newest_meta() const {
  MDB_envinfo info{};
  mdb_filehandle_t file = -1;
  if (mdb_env_info(handle_, &info) != MDB_SUCCESS) return;
  if (mdb_env_get_fd(handle_, &file) == MDB_SUCCESS) seal_lmdb_meta(file, info.me_last_txnid);
}

// I4
void LmdbEnvironment::lengthen_data(CommitOf whose) const {
  MDB_envinfo info{};
  mdb_filehandle_t file = -1;
  struct stat status {};
  if (mdb_env_info(handle_, &info) != MDB_SUCCESS) return;
  if (mdb_env_get_fd(handle_, &file) != MDB_SUCCESS || ::fstat(file, &status) != 0) return;
  // LMDB does not write pages that a transaction took at the end and gave back.
  const auto needed = static_cast<off_t>((info.me_last_pgno + 1) * base::kPageSize);
  if (status.st_size < needed && ::ftruncate(file, needed) != 0) return;  // a read may then fail
  // Whoever made a commit that is found at an open may have been killed before this. What it wrote
  // beyond came later.
  const bool synced =
      whose == CommitOf::kAnother ? status.st_size > needed : status.st_size >= needed;
  if (!synced) (void)!::fdatasync(file);
}

std::uint64_t LmdbEnvironment::committed_size() const {
  MDB_envinfo info{};
  if (dead() || mdb_env_info(handle_, &info) != MDB_SUCCESS) return 0;
  return (info.me_last_pgno + 1) * kLmdbPageSize;
}

std::string LmdbEnvironment::sentence_start() const {
  return "the store " + (options_.name.empty() ? options_.path : options_.name).string() + ": ";
}

base::Error LmdbEnvironment::unavailable() const {
  return {base::ErrorCode::kIoFailed,
          "the store " + options_.path.string() +
              " met an I/O error and is not open; nothing is lost, and it is opened again as soon "
              "as its disk allows"};
}

base::Error LmdbEnvironment::error(int code, const char* what) const {
  if (code == EIO) code = cause_of_short_write(handle_);
  return {classify(code), sentence_start() + what + " failed: " + mdb_strerror(code) + "; " +
                              way_out(code, options_.way_out_of_damage)};
}

base::Error LmdbEnvironment::damaged(const std::string& what) const {
  return {base::ErrorCode::kStoreDamaged, "the store " + options_.path.string() + " is damaged: " +
                                              what + "; " + options_.way_out_of_damage};
}

}  // namespace revenant::store
