#include "store/store.h"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "store/catalog.h"
#include "store/files.h"
#include "store/reclaimer.h"
#include "store/store_call.h"
#include "store/store_state.h"
#include "store/tag_name.h"

namespace revenant::store {
namespace {

constexpr int kAttempts = 3;

// An absolute path without links and without a slash at its end, so that it has a parent and a
// name.
base::Result<std::filesystem::path> normal_path(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  if (!failed) absolute = std::filesystem::weakly_canonical(absolute, failed);
  if (failed) return file_error(path, "finding", failed.value());
  if (absolute.filename().empty()) absolute = absolute.parent_path();
  return absolute;
}

base::Error no_directory(const std::filesystem::path& path) {
  return {base::ErrorCode::kNotAStore,
          path.string() + " is not a store: it is not a directory; name another path"};
}

base::Result<bool> needs_creation(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return true;
    if (errno == ENOTDIR) return no_directory(path.parent_path());
    return file_error(path, "looking at the store", errno);
  }
  if (!S_ISDIR(status.st_mode)) {
    return no_directory(path);
  }
  std::error_code failed;
  const bool empty = std::filesystem::is_empty(path, failed);
  if (failed) return file_error(path, "reading the store's directory", failed.value());
  return empty;
}

base::Error another_program(const std::filesystem::path& path, const std::string& owner,
                            const std::string& program) {
  return {base::ErrorCode::kAnotherProgram, "the store " + path.string() +
                                                " belongs to the program " + owner + ", not to " +
                                                program + "; name another store with --store"};
}

base::Result<OwnedStore> open_existing(const StoreOptions& options) {
  OwnedStore store;
  REVENANT_ASSIGN(store.identity, read_identity(options.path));
  if (store.identity.program != options.program) {
    return another_program(options.path, store.identity.program, options.program);
  }
  REVENANT_TRY(LmdbEnvironment::check_not_open(options.path));
  REVENANT_ASSIGN(store.lock, OwnerLock::take(options.path, options.path));
  // Again, now that no other owner can change it.
  REVENANT_ASSIGN(store.identity, read_identity(options.path));
  REVENANT_TRY(check_data_size(options.path, store.identity));
  REVENANT_ASSIGN(store.environment,
                  LmdbEnvironment::open({.path = options.path, .map_bytes = options.map_bytes}));
  remove_leftovers(options.path);
  return store;
}

base::Result<OwnedStore> open_or_create(const StoreOptions& options) {
  base::Error last{base::ErrorCode::kIoFailed, "the store could not be created"};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    REVENANT_ASSIGN(const bool missing, needs_creation(options.path));
    if (!missing || !options.create) return open_existing(options);
    remove_leftovers(options.path);
    auto created = create_store(options.path, options.program, options.map_bytes);
    if (created.ok() && *created) return std::move(**created);
    // Another creator was first (creation.h I2), or took this one's directory for a leftover.
    if (!created.ok()) last = created.error();
    const bool retry = created.ok() || last.code == base::ErrorCode::kStoreInUse ||
                       last.code == base::ErrorCode::kNotFound;
    if (!retry) break;
  }
  return last;
}

}  // namespace

base::Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  StoreOptions normal = options;
  REVENANT_ASSIGN(normal.path, normal_path(options.path));
  if (options.branch.empty() || options.branch.size() > kLongestName) {
    return base::Error{base::ErrorCode::kUsage, "a branch's name has 1 to 255 bytes"};
  }
  if (options.create) REVENANT_TRY(make_directories(normal.path.parent_path()));
  REVENANT_ASSIGN(OwnedStore owned, open_or_create(normal));
  auto state = std::make_unique<StoreState>(normal, std::move(owned));
  REVENANT_TRY(state->start());
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Store::Store(std::unique_ptr<StoreState> state) : state_(std::move(state)) {}
Store::~Store() = default;

const std::filesystem::path& Store::path() const { return state_->options.path; }
const StoreId& Store::id() const { return state_->owned.identity.id; }
const std::string& Store::branch() const { return state_->options.branch; }
bool Store::created() const { return state_->owned.created; }
const History& Store::history() const { return state_->history; }
const std::optional<SnapshotRecord>& Store::head() const { return state_->head_record; }
base::Epoch Store::open_epoch() const { return {state_->counters.next_epoch}; }

template <class Change>
base::Status Store::change_catalog(const Change& change) {
  REVENANT_CHECK(!state_->writer.open(), "the catalog is changed while an epoch is open");
  const StoreCall call;
  const auto run = [&]() -> base::Status {
    REVENANT_TRY(state_->prepare_epoch());
    REVENANT_ASSIGN(auto transaction, state_->environment().begin_write());
    REVENANT_TRY(change(transaction));
    return transaction.commit();
  };
  base::Status changed = run();
  if (!changed.ok()) (void)state_->mend();
  return changed;
}

HostFeatures Store::ran_on() const { return state_->owned.identity.ran_on; }

base::Result<std::uint64_t> Store::begin_generation(const HostFeatures& host) {
  return state_->count_start(host);
}

EpochWriter& Store::begin_epoch(base::Epoch at_least) {
  state_->writer.begin(at_least);
  return state_->writer;
}

FetchOutcome Store::fetch(base::PageNumber page, base::Epoch not_before,
                          std::byte* frame) noexcept {
  const StoreCall call;
  Fetched fetched;
  state_->fetcher.fetch_run({page, {1}}, not_before, frame, &fetched);
  return fetched.outcome;
}

void Store::fetch_run(base::PageRun run, base::Epoch not_before, std::byte* frames,
                      Fetched* fetched) noexcept {
  const StoreCall call;
  state_->fetcher.fetch_run(run, not_before, frames, fetched);
}

base::Result<ParkedNumber> Store::park(base::PageNumber page, const std::byte* contents,
                                       const ContentHash& hash) {
  REVENANT_CHECK(!state_->writer.open(), "a page is parked while an epoch is open");
  const StoreCall call;
  return state_->parked.park(page, contents, hash);
}

base::Status Store::finish_parking() {
  const StoreCall call;
  return state_->parked.finish();
}

void Store::forget_parked(const base::PageRun& run, ParkedImages::IsWanted is_wanted) {
  state_->parked.forget(run, is_wanted);
}

bool Store::has_parked() const { return !state_->parked.empty(); }

void Store::settle_parked(base::FunctionRef<void(base::PageNumber, const ContentHash&)> visit) {
  state_->parked.for_each(
      [&](base::PageNumber page, const ImageReference& image) { visit(page, image.hash); });
  state_->parked.taken_over();
}

FetchOutcome Store::fetch_parked(base::PageNumber page, ParkedNumber number,
                                 const ContentHash& hash, std::byte* frame) noexcept {
  const auto reading = state_->parked.read(number);
  if (!reading.has_value() || reading->image.hash != hash) return FetchOutcome::kAbsent;
  const StoreCall call;
  const FetchOutcome outcome = state_->fetcher.fetch_image(reading->image, frame);
  if (outcome != FetchOutcome::kDamaged) return outcome;
  Fetched fetched;
  state_->fetcher.fetch_run({page, {1}}, base::kNoEpoch, frame, &fetched);
  if (fetched.outcome == FetchOutcome::kImage && fetched.hash == hash) return fetched.outcome;
  return state_->parked.still_holds(number, *reading) ? outcome : FetchOutcome::kAbsent;
}

base::Result<std::optional<PageReference>> Store::find_reference(base::PageNumber page) {
  const StoreCall call;
  return state_->fetcher.find(state_->environment(), page);
}

base::Status Store::make_available() {
  const StoreCall call;
  if (state_->stale) REVENANT_TRY(state_->mend());
  return state_->environment().check_place();
}

void Store::give_up_fetches() { state_->fetcher.give_up(); }

base::Status Store::tag(std::string_view name, base::Epoch revision) {
  REVENANT_TRY(check_tag_name(name));
  return change_catalog([&](WriteTransaction& transaction) -> base::Status {
    REVENANT_ASSIGN(const auto head, read_head(transaction, name));
    if (head) {
      return base::Error{base::ErrorCode::kNameTaken, std::string(name) +
                                                          " names a branch already, which a tag "
                                                          "would hide behind; choose another name"};
    }
    REVENANT_ASSIGN(const auto taken, read_tag(transaction, name));
    // Set before a restart by the same call: it is made again.
    if (taken && taken->revision == revision.value) return {};
    if (taken) {
      return base::Error{base::ErrorCode::kNameTaken,
                         "the tag " + std::string(name) + " names revision " +
                             std::to_string(taken->revision) + " already; choose another name"};
    }
    REVENANT_ASSIGN(const SnapshotBytes snapshot, read_snapshot(transaction, revision));
    return write_tag(transaction, name, {snapshot.revision});
  });
}

base::Result<ReclaimReport> Store::reclaim_some(const Policy& policy, std::size_t budget) {
  REVENANT_CHECK(!state_->writer.open(), "snapshots are reclaimed while an epoch is open");
  const StoreCall call;
  REVENANT_TRY(state_->prepare_epoch());
  state_->stale = true;  // the head may have a new parent, even if no memory is left to say so
  auto report = Reclaimer(state_->environment()).step(policy, budget);
  if (!report.ok()) {
    (void)state_->mend();
  } else if (report->snapshots_deleted != 0) {
    REVENANT_TRY(state_->reload());
  } else {
    state_->stale = false;
  }
  return report;
}

void Store::remember_size() { state_->note_growth(1); }

void Store::check_readers() { state_->environment().check_readers(); }

StoreReader::StoreReader(std::filesystem::path path, std::unique_ptr<LmdbEnvironment> environment,
                         std::string program, const StoreId& id)
    : path_(std::move(path)),
      environment_(std::move(environment)),
      history_(*environment_),
      program_(std::move(program)),
      id_(id) {}

StoreReader::~StoreReader() = default;

base::Result<std::unique_ptr<StoreReader>> StoreReader::open(const std::filesystem::path& path,
                                                             ReadPurpose purpose) {
  REVENANT_ASSIGN(const auto normal, normal_path(path));
  REVENANT_ASSIGN(const Identity identity, read_identity(normal));
  REVENANT_TRY(check_data_size(normal, identity));
  EnvironmentOptions options{.path = normal, .read_only = true};
  if (purpose == ReadPurpose::kVerify) options.way_out_of_damage = "restore it from a copy";
  REVENANT_ASSIGN(auto environment, LmdbEnvironment::open(options));
  return std::unique_ptr<StoreReader>(
      new StoreReader(normal, std::move(environment), identity.program, identity.id));
}

}  // namespace revenant::store
