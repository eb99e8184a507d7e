// The room's door: a store, owned by this process or read beside its owner.
//
//   DIR/identity   id, format version, program, least size of data.mdb; checksummed
//   DIR/lock       the owner lock
//   DIR/data.mdb, DIR/lock.mdb   LMDB's: images, nodes, catalog
//
// I1  One owner: the process that holds DIR/lock. Readers take no lock and may be many.
// I2  A store appears under its name whole, by rename, with its first commit synced.
// I3  Nothing read is believed before its hash agrees.
// I4  A committed snapshot stays until the retention policy deletes it, and is never changed.
//
// Threads: fetch on any OS thread, in signal handlers too, several at once. history() on any thread
// outside handlers. Everything else by one OS thread at a time; an epoch from its first put to its
// end by the same one.
// Unavailable is not damaged: whatever a full disk or an I/O error prevents is tried again, and
// nothing is lost meanwhile.
//
// Errors are values; each names the store, the cause and the way out. kStoreInUse, kStoreDamaged,
// kNotAStore, kAnotherProgram, kAnotherFormat, kNotFound (no store), kNoSpace, kIoFailed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/result.h"
#include "base/units.h"
#include "store/epoch_writer.h"
#include "store/fetch_outcome.h"
#include "store/history.h"
#include "store/host_features.h"
#include "store/page_reference.h"
#include "store/parked_images.h"
#include "store/retention.h"
#include "store/snapshot_record.h"

namespace revenant::store {

struct StoreOptions {
  std::filesystem::path path;
  std::string program;          // its name: another program's store is refused
  std::string branch = "main";  // the running branch
  bool create = true;           // make it if nothing is there
  // Address space for LMDB's map, the upper limit of the store's size; taken smaller where the
  // process may not have as much.
  std::uint64_t map_bytes = 1ull << 40;
};

class Store {
 public:
  // Opens the store as its owner, creating it first if it is missing and options.create.
  static base::Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] const StoreId& id() const;
  [[nodiscard]] const std::string& branch() const;
  [[nodiscard]] bool created() const;  // by this open
  [[nodiscard]] const History& history() const;

  // The head of the running branch; nothing before its first snapshot.
  [[nodiscard]] const std::optional<SnapshotRecord>& head() const;
  // The revision that the next commit will have.
  [[nodiscard]] base::Epoch open_epoch() const;

  // What the programs of earlier starts have run on, together.
  [[nodiscard]] HostFeatures ran_on() const;
  // Counts a start on `host`, durably, and returns its number: 1 for the first. Costs the same
  // however large the store is, and writes nothing to data.mdb.
  base::Result<std::uint64_t> begin_generation(const HostFeatures& host = {});

  // Starts an epoch on the head, with the next number or a higher one: a caller that drew a number
  // for an epoch that failed must not see it given to another. The writer is the store's own and
  // used again for each epoch.
  EpochWriter& begin_epoch(base::Epoch at_least = base::kNoEpoch);

  // Copies the newest committed image of `page` on the running branch to `frame`.
  // Async-signal-safe.
  FetchOutcome fetch(base::PageNumber page, base::Epoch not_before, std::byte* frame) noexcept;
  // The same for consecutive pages, in one transaction: page i goes to frames + i * kPageSize and
  // fetched[i]. Async-signal-safe.
  void fetch_run(base::PageRun run, base::Epoch not_before, std::byte* frames,
                 Fetched* fetched) noexcept;
  // Between epochs: writes a page's image ahead of the snapshot that will contain it, and gives it
  // a number to fetch it by. A page parked again supersedes its image. Where it fails, what was
  // parked since the last finish_parking() is forgotten.
  base::Result<ParkedNumber> park(base::PageNumber page, const std::byte* contents,
                                  const ContentHash& hash);
  // Makes what was parked fit to be fetched, in one commit.
  base::Status finish_parking();
  // Pages that were given back: nobody wants what was parked of them, but what `is_wanted` says.
  void forget_parked(const base::PageRun& run, ParkedImages::IsWanted is_wanted);
  [[nodiscard]] bool has_parked() const;
  // After an epoch's commit, which has taken over what was parked: visits all of that, and frees
  // the numbers.
  void settle_parked(base::FunctionRef<void(base::PageNumber, const ContentHash&)> visit);
  // Copies a parked image of `page` to `frame`, or the same content from the branch, if a commit
  // has just put that there instead. kAbsent: the number is nobody's any more. Async-signal-safe.
  FetchOutcome fetch_parked(base::PageNumber page, ParkedNumber number, const ContentHash& hash,
                            std::byte* frame) noexcept;
  // What the head says of a page, without reading its image. By the writer, which a dead
  // environment does not keep waiting: kIoFailed.
  [[nodiscard]] base::Result<std::optional<PageReference>> find_reference(base::PageNumber page);

  // After an I/O error on LMDB's meta page fetches wait, and everything else fails, until the store
  // has been opened again. Tries that, if need be; the error says why it is not to be had,
  // or not to be found under its path any more. Call it before each epoch, and before stopping
  // threads that may be waiting in a fetch.
  base::Status make_available();
  // Ends the fetches that wait: the program ends, and the store is not to be had.
  void give_up_fetches();

  // Names a snapshot; kNameTaken if the name is another's. Durable on return.
  base::Status tag(std::string_view name, base::Epoch revision);

  // Deletes what the policy lets go of, up to `budget` images and nodes in one transaction. Off the
  // commit path: call it between epochs, more often while `more` says so.
  base::Result<ReclaimReport> reclaim_some(const Policy& policy, std::size_t budget = 8192);

  // Frees reader slots of processes that died. About once a minute.
  void check_readers();

  // At an orderly end, after the last snapshot: the identity remembers how long data.mdb is. So
  // does the destructor, which a program that ends does not run.
  void remember_size();

 private:
  explicit Store(std::unique_ptr<StoreState> state);
  // Runs `change` in a transaction of its own and commits it.
  template <class Change>
  base::Status change_catalog(const Change& change);

  std::unique_ptr<StoreState> state_;
};

// What a store is read for: whoever verifies it cannot be told to.
enum class ReadPurpose : std::uint8_t { kUse, kVerify };

// A store read beside its owner, or without one. Never changes it. One process opens a store once,
// as owner or as reader (LMDB's locks are the process's).
class StoreReader {
 public:
  static base::Result<std::unique_ptr<StoreReader>> open(const std::filesystem::path& path,
                                                         ReadPurpose purpose = ReadPurpose::kUse);
  ~StoreReader();
  StoreReader(const StoreReader&) = delete;
  StoreReader& operator=(const StoreReader&) = delete;

  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const std::string& program() const { return program_; }
  [[nodiscard]] const StoreId& id() const { return id_; }

 private:
  StoreReader(std::filesystem::path path, std::unique_ptr<LmdbEnvironment> environment,
              std::string program, const StoreId& id);

  std::filesystem::path path_;
  std::unique_ptr<LmdbEnvironment> environment_;
  History history_;
  std::string program_;
  StoreId id_;
};

}  // namespace revenant::store
