// LMDB's environment: opening it, its failures as values, opening it again when it has died.
//
//   open --> live --I/O error on the meta page--> dead --reopen--> live
//
// I1  A process has at most one environment on a directory: a second one would drop the first one's
//     file locks when it closes. A table of open directories refuses it.
// I2  reopen() runs while no transaction lives.
// I3  The meta pages are what was written (lmdb_meta.h): a flipped bit there would open an older
//     state in silence.
// I4  The owner's data.mdb reaches to the last page its meta speaks of, if need be by a hole: reads
//     beyond the end of the file would be SIGBUS, reads of a hole are damage that is found. That
//     length is durable; what lies beyond, a commit that was cut off has left, and no sync covers.
// I5  Others know an owner by locks of ours, not by LMDB's (lmdb_presence.h).
// I6  lock.mdb has its blocks before LMDB maps it: on a full disk a write to its hole would be
//     SIGBUS.
// I7  Before LMDB reads a page, but for leaves of images and nodes, its structure has been checked;
//     before it writes anything, that of all trees, each time they are opened: it writes to pages
//     that are free, and nothing less tells whether they are (lmdb_structure.h).
// I8  Whoever writes has a lock (flock) on data.mdb itself: DIR/lock may be removed, and made anew
//     by a second owner.
//
// Default flags (each commit is durable on return), NOTLS (read transactions are not bound to a
// thread), NORDAHEAD (faults hit at random).
//
// Threads: transactions may begin on any thread; one write transaction at a time. open, reopen and
// close by the thread that writes.
// Errors: kNoSpace, kIoFailed, kStoreDamaged, kStoreInUse (I1, I8), kUnsupportedHost (no room for
// the map).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/data_place.h"
#include "store/lmdb_presence.h"
#include "store/lmdb_structure.h"
#include "store/lmdb_transaction.h"

struct MDB_env;

namespace revenant::store {

// Under a limit of addresses the map is made smaller, but not than this.
inline constexpr std::uint64_t kSmallestMap = 1ull << 30;

struct EnvironmentOptions {
  std::filesystem::path path;
  std::filesystem::path name;  // what messages call the store; empty: its path
  std::uint64_t map_bytes = 1ull << 40;
  bool read_only = false;
  bool create = false;  // make the tables in a first, durable commit
  std::string way_out_of_damage = "run `revenant verify` on it";
};

class LmdbEnvironment {
 public:
  static base::Result<std::unique_ptr<LmdbEnvironment>> open(const EnvironmentOptions& options);
  // Refuses a directory that this process has open. I1
  static base::Status check_not_open(const std::filesystem::path& path);
  ~LmdbEnvironment();
  LmdbEnvironment(const LmdbEnvironment&) = delete;
  LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return options_.path; }
  // The directory has been renamed; LMDB itself holds descriptors and does not mind.
  void moved_to(const std::filesystem::path& path) {
    options_.path = path;
    options_.name.clear();
  }

  base::Result<WriteTransaction> begin_write();
  base::Result<ReadTransaction> begin_read();

  // True after an I/O error on a meta page: nothing works until reopen().
  [[nodiscard]] bool dead() const;
  base::Status reopen();

  // Where page 0 of data.mdb lies; null as long as the store had no record when it was opened.
  [[nodiscard]] const std::byte* map_start() const { return map_start_; }
  // Whether LMDB's own pages are what it takes them for. I7
  [[nodiscard]] base::Status check_structure(StructureExtent extent);

  // Frees reader slots of processes that died.
  void check_readers();
  // Whether its data.mdb is still the one that is found under its path, as far as can be seen.
  [[nodiscard]] base::Status check_place() const;

  // After a commit: seals its meta, and makes data.mdb as long as that says. I3, I4
  void complete_commit() const;
  // How long data.mdb is at least, now and after a power cut (I4); 0 while it cannot be told.
  [[nodiscard]] std::uint64_t committed_size() const;

  // What is said while the environment is dead.
  [[nodiscard]] base::Error unavailable() const;
  // The error for LMDB's `code`, met while doing `what`.
  [[nodiscard]] base::Error error(int code, const char* what) const;
  [[nodiscard]] base::Error damaged(const std::string& what) const;

 private:
  friend class Transaction;
  friend class WriteTransaction;
  friend class Cursor;
  explicit LmdbEnvironment(const EnvironmentOptions& options) : options_(options) {}
  base::Status open_handle();
  [[nodiscard]] base::Status lock_data() const;
  [[nodiscard]] base::Status allocate_lock_file() const;
  base::Result<MDB_env*> create_handle(std::uint64_t map_bytes);
  base::Status open_tables();
  base::Status take_presence();
  void close_handle();
  enum class CommitOf : std::uint8_t { kThis, kAnother };  // environment: by us, found at an open
  void seal_newest_meta() const;
  void lengthen_data(CommitOf whose) const;
  [[nodiscard]] std::string sentence_start() const;

  EnvironmentOptions options_;
  const DataPlace place_;
  MDB_env* handle_ = nullptr;
  LmdbPresence presence_;
  TableHandles tables_{};
  const std::byte* map_start_ = nullptr;
  bool registered_ = false;
  bool trees_checked_ = false;  // I7
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::atomic<int> live_transactions_{0};
};

}  // namespace revenant::store
