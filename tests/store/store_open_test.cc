// Opening: creation, ownership, and each kind of refusal.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "store/catalog.h"
#include "store/dead_list.h"
#include "store/files.h"
#include "store/format.h"
#include "store/lmdb_environment.h"
#include "store/owner_lock.h"
#include "store/store.h"
#include "tests/store/data_file.h"
#include "tests/store/page_model.h"
#include "tests/support/forked.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

using base::ErrorCode;

class StoreOpenTest : public ::testing::Test {
 protected:
  void create() { ASSERT_TRUE(Store::open(small_options(path_)).ok()); }

  ErrorCode refusal() {
    auto opened = Store::open(small_options(path_));
    EXPECT_FALSE(opened.ok());
    if (opened.ok()) return ErrorCode::kUsage;
    EXPECT_NE(opened.error().message.find(path_.string()), std::string::npos)
        << opened.error().message;
    auto read = StoreReader::open(path_);
    EXPECT_FALSE(read.ok());
    return opened.error().code;
  }

  static std::string contents(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::unique_ptr<LmdbEnvironment> environment() const {
    return std::move(*LmdbEnvironment::open({.path = path_, .map_bytes = 4ull << 30}));
  }
  // Of an epoch that has not committed: it says that the first image is dead.
  void leave_a_dead_list() const {
    const auto lmdb = environment();
    auto transaction = std::move(*lmdb->begin_write());
    DeadListWriter dead({read_state(transaction)->next_epoch});
    ASSERT_TRUE(dead.add(transaction, DeadEntry::of(DeadKind::kImage, {1}, 1)).ok());
    ASSERT_TRUE(dead.finish(transaction).ok());
    ASSERT_TRUE(transaction.commit().ok());
  }
  // Whether there is what belongs to no committed epoch.
  bool has_orphans() const {
    const auto lmdb = environment();
    const auto transaction = std::move(*lmdb->begin_read());
    const StateBytes state = *read_state(transaction);
    const auto owners = *dead_list_owners(transaction);
    const bool dead = !owners.empty() && owners.back().value >= state.next_epoch;
    const std::uint64_t first = state.next_image;
    auto images = std::move(*Cursor::open(transaction, Table::kImages));
    return dead || images.seek(integer_key(first)) == Lookup::kFound;
  }

  static void flip(const std::filesystem::path& path, std::size_t at, int bit) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get() ^ (1 << bit);
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte));
  }

  testing::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "store";
  int reports_[2] = {-1, -1};
};

TEST_F(StoreOpenTest, CreatesAPrivateDirectoryAndKeepsItsId) {
  StoreId id;
  {
    auto store = Store::open(small_options(path_));
    ASSERT_TRUE(store.ok()) << store.error().message;
    EXPECT_TRUE((*store)->created());
    EXPECT_FALSE((*store)->head());
    id = (*store)->id();
  }
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  auto again = Store::open(small_options(path_));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_FALSE((*again)->created());
  EXPECT_EQ((*again)->id(), id);
}

TEST_F(StoreOpenTest, AnEmptyDirectoryBecomesAStore) {
  std::filesystem::create_directory(path_);
  EXPECT_TRUE(Store::open(small_options(path_)).ok());
}

TEST_F(StoreOpenTest, ALinkToAnEmptyDirectoryBecomesAStore) {
  std::filesystem::create_directory(directory_ / "there");
  std::filesystem::create_directory_symlink(directory_ / "there", path_);
  EXPECT_TRUE(Store::open(small_options(path_)).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "there" / "data.mdb"));
}

TEST_F(StoreOpenTest, MissingParentsAreMade) {
  path_ = directory_ / "one" / "two" / "store";
  EXPECT_TRUE(Store::open(small_options(path_)).ok());
}

TEST_F(StoreOpenTest, AFileAmongTheParentsIsRefused) {
  std::ofstream(directory_ / "one") << "a file";
  path_ = directory_ / "one" / "two" / "store";
  auto opened = Store::open(small_options(path_));
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("Not a directory"), std::string::npos)
      << opened.error().message;
}

TEST_F(StoreOpenTest, RefusesAMissingStoreUnlessAskedToCreate) {
  StoreOptions options = small_options(path_);
  options.create = false;
  EXPECT_EQ(Store::open(options).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(StoreReader::open(path_).error().code, ErrorCode::kNotFound);
}

TEST_F(StoreOpenTest, RefusesWhatIsNoStore) {
  std::filesystem::create_directory(path_);
  std::ofstream(path_ / "letter.txt") << "hello";
  EXPECT_EQ(refusal(), ErrorCode::kNotAStore);
  EXPECT_TRUE(std::filesystem::exists(path_ / "letter.txt"));
  std::filesystem::remove_all(path_);
  std::ofstream(path_.string()) << "a file";
  EXPECT_EQ(Store::open(small_options(path_)).error().code, ErrorCode::kNotAStore);
}

TEST_F(StoreOpenTest, RefusesAnotherProgramsStore) {
  create();
  StoreOptions options = small_options(path_);
  options.program = "other";
  const auto refused = Store::open(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kAnotherProgram);
  EXPECT_NE(refused.error().message.find("test"), std::string::npos);
}

TEST_F(StoreOpenTest, RefusesAnotherFormatByNumber) {
  create();
  IdentityBytes identity;
  ASSERT_TRUE(read_start(path_ / "identity", std::as_writable_bytes(std::span(&identity, 1))).ok());
  identity.format_version = 77;
  ASSERT_TRUE(write_atomically(path_ / "identity", std::as_bytes(std::span(&identity, 1))).ok());
  EXPECT_EQ(refusal(), ErrorCode::kAnotherFormat);
  EXPECT_NE(Store::open(small_options(path_)).error().message.find("77"), std::string::npos);
}

TEST_F(StoreOpenTest, RefusesAnEmptiedTruncatedOrMissingDataFile) {
  create();
  const auto data = path_ / "data.mdb";
  const auto size = std::filesystem::file_size(data);
  for (const std::uintmax_t left : {size - 1, size / 2, std::uintmax_t{0}}) {
    std::filesystem::resize_file(data, left);
    EXPECT_EQ(refusal(), ErrorCode::kStoreDamaged) << left;
  }
  std::filesystem::remove(data);
  EXPECT_EQ(refusal(), ErrorCode::kStoreDamaged);
}

TEST_F(StoreOpenTest, RefusesADamagedIdentity) {
  create();
  // The second letter of the program's name, test.
  std::fstream(path_ / "identity", std::ios::in | std::ios::out).seekp(41).put('X');
  EXPECT_EQ(refusal(), ErrorCode::kStoreDamaged);
}

TEST_F(StoreOpenTest, RefusesMetasThatDisagree) {
  create();
  // The transaction id of meta page 0, set far ahead.
  std::fstream(path_ / "data.mdb", std::ios::in | std::ios::out).seekp(144).put(100);
  EXPECT_EQ(refusal(), ErrorCode::kStoreDamaged);
}

// LMDB believes the newer of two transaction ids: one bit less there is the commit before, or the
// one before that under the newest one's name. Each bit of either id, and of all else in the newest
// meta, is flipped.
TEST_F(StoreOpenTest, RefusesEveryFlippedBitOfTheNewestMetaAndOfBothTransactionIds) {
  constexpr std::size_t kTransactionAt = 144;
  for (int commits = 0; commits < 2; ++commits) {
    ASSERT_TRUE(commit_a_page(*Store::open(small_options(path_)).value(), 1).ok());
    const std::string whole = contents(path_ / "data.mdb");
    const bool odd_is_newest = whole[kTransactionAt] < whole[4096 + kTransactionAt];
    const std::size_t newest = odd_is_newest ? 4096 : 0;
    for (std::size_t byte = 0; byte < kSealedMetaSize; ++byte) {
      for (const std::size_t at : {newest + byte, 4096 - newest + byte}) {
        if (at != newest + byte && byte < kTransactionAt) continue;
        for (int bit = 0; bit < 8; ++bit) {
          flip(path_ / "data.mdb", at, bit);
          ASSERT_EQ(refusal(), ErrorCode::kStoreDamaged) << "byte " << at << ", bit " << bit;
          flip(path_ / "data.mdb", at, bit);
        }
      }
    }
    ASSERT_EQ(contents(path_ / "data.mdb"), whole);
  }
}

// A kill between a commit and its seal leaves the seal before the last; a copy made by LMDB's own
// tools has none.
TEST_F(StoreOpenTest, OpensWhatWasNotSealedOrWhoseSealIsDamaged) {
  create();
  const std::string sealed = contents(path_ / "data.mdb");
  ASSERT_TRUE(commit_a_page(*Store::open(small_options(path_)).value(), 1).ok());
  ASSERT_TRUE(commit_a_page(*Store::open(small_options(path_)).value(), 2).ok());
  const std::string seals[] = {std::string(sizeof(MetaSealBytes), '\0'), "x"};
  for (const std::size_t page : {0, 4096}) {
    const std::size_t at = page + kMetaSealAt;
    for (const std::string& seal : {sealed.substr(at, sizeof(MetaSealBytes)), seals[0], seals[1]}) {
      std::fstream(path_ / "data.mdb", std::ios::in | std::ios::out)
          .seekp(static_cast<std::streamoff>(at))
          .write(seal.data(), static_cast<std::streamsize>(seal.size()));
      auto store = Store::open(small_options(path_));
      ASSERT_TRUE(store.ok()) << store.error().message;
      EXPECT_EQ((*store)->head()->revision.value, 2u);
    }
  }
}

// Killed within an epoch that had put images and a piece of its dead list already.
TEST_F(StoreOpenTest, AStartWritesNothingToWhatAKillHasLeft) {
  ASSERT_TRUE(commit_a_page(*Store::open(small_options(path_)).value(), 1).ok());
  const int put = testing::in_child([&] {
    const auto store = Store::open(small_options(path_));
    EpochWriter& writer = (*store)->begin_epoch();
    for (std::uint64_t page = 0; page < 50; ++page) {
      (void)apply({.run = {{page}, {1}}, .stamp = 2}, writer);
    }
    ::_exit(writer.flush().ok() ? 0 : 1);
    return 1;
  });
  ASSERT_EQ(put, 0);
  leave_a_dead_list();
  ASSERT_TRUE(has_orphans());
  const std::string left = contents(path_ / "data.mdb");
  {
    const auto store = Store::open(small_options(path_));
    ASSERT_TRUE(store.ok()) << store.error().message;
    ASSERT_TRUE((*store)->begin_generation().ok());
    Frame frame;
    EXPECT_EQ((*store)->fetch({1}, base::kNoEpoch, frame.data()), FetchOutcome::kImage);
    EXPECT_EQ(findings((*store)->history()), "");
    EXPECT_TRUE(contents(path_ / "data.mdb") == left);
  }
  EXPECT_TRUE(contents(path_ / "data.mdb") == left);
  {
    const auto store = Store::open(small_options(path_));
    ASSERT_TRUE(commit_a_page(**store, 3).ok());
    EXPECT_EQ(findings((*store)->history()), "");
  }
  EXPECT_FALSE(has_orphans());
}

// Else a bit of its transaction id could make it the newest again, later.
TEST_F(StoreOpenTest, ACommitFoundWithoutItsSealGetsItBeforeTheNext) {
  create();
  const DataFile data(path_);
  const std::uint64_t commit = data.newest().transaction;
  const std::uint64_t seal_at = commit % 2 * kLmdbPageSize + kMetaSealAt;
  data.write(seal_at, MetaSealBytes{});
  const auto store = Store::open(small_options(path_));
  ASSERT_TRUE((*store)->begin_generation().ok());
  EXPECT_EQ(data.read<MetaSealBytes>(seal_at).transaction, 0u);
  ASSERT_TRUE(commit_a_page(**store, 1).ok());
  EXPECT_EQ(DataFile(path_).newest().transaction, commit + 1);
  EXPECT_EQ(data.read<MetaSealBytes>(seal_at).transaction, commit);
}

TEST_F(StoreOpenTest, RemembersTheSizeAtItsEnd) {
  create();
  {
    auto store = Store::open(small_options(path_));
    ASSERT_TRUE(store.ok());
    EpochWriter& writer = (*store)->begin_epoch();
    const Frame frame = frame_of(1);
    for (std::uint64_t page = 0; page < 50; ++page) {
      ASSERT_TRUE(writer.put({page}, frame.data(), hash_page(frame.data())).ok());
    }
    ASSERT_TRUE(writer.commit({}).ok());
  }
  const auto data = path_ / "data.mdb";
  std::filesystem::resize_file(data, std::filesystem::file_size(data) - base::kPageSize);
  EXPECT_EQ(refusal(), ErrorCode::kStoreDamaged);
}

TEST_F(StoreOpenTest, AnotherProcessIsToldWhoOwnsIt) {
  auto store = Store::open(small_options(path_));
  ASSERT_TRUE(store.ok());
  const std::string owner = std::to_string(::getpid());
  const int outcome = testing::in_child([&] {
    const auto refused = Store::open(small_options(path_));
    if (refused.ok()) return 1;
    if (refused.error().code != ErrorCode::kStoreInUse) return 2;
    return refused.error().message.find(owner) == std::string::npos ? 3 : 0;
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(StoreOpenTest, AnotherProcessFindsTheOwnerAndDisturbsNobody) {
  EXPECT_FALSE(find_owner(path_)->owned);
  create();
  EXPECT_FALSE(find_owner(path_)->owned);
  auto store = Store::open(small_options(path_));
  ASSERT_TRUE(store.ok());
  const pid_t owner = ::getpid();
  const auto owner_is_found = [&] {
    const auto found = find_owner(path_);
    return found.ok() && found->owned && found->process == owner ? 0 : 1;
  };
  EXPECT_EQ(testing::in_child(owner_is_found), 0);
  std::filesystem::remove(path_ / "lock");
  EXPECT_EQ(testing::in_child(owner_is_found), 0) << "though DIR/lock is gone";
}

// Whoever takes a lock file for a leftover does no harm by removing it.
TEST_F(StoreOpenTest, AnotherProcessIsRefusedThoughTheLockFilesAreGone) {
  auto store = Store::open(small_options(path_));
  ASSERT_TRUE(store.ok());
  std::filesystem::remove(path_ / "lock");
  std::filesystem::remove(path_ / "lock.mdb");
  const int outcome = testing::in_child([&] {
    return Store::open(small_options(path_)).error().code == ErrorCode::kStoreInUse ? 0 : 1;
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(StoreOpenTest, ASecondOpenInOneProcessIsRefusedAndDropsNoLock) {
  auto store = Store::open(small_options(path_));
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(refusal(), ErrorCode::kStoreInUse);
  const int outcome = testing::in_child([&] {
    return Store::open(small_options(path_)).error().code == ErrorCode::kStoreInUse ? 0 : 1;
  });
  EXPECT_EQ(outcome, 0);
}

// Creators also sweep up what killed creators left: none may take another's directory for that.
TEST_F(StoreOpenTest, OfSeveralCreatorsOneWins) {
  constexpr int kCreators = 4;
  for (int round = 0; round < 50 && !HasFailure(); ++round) {
    std::filesystem::remove_all(path_);
    int gate[2];
    int finish[2];
    ASSERT_EQ(::pipe(gate), 0);
    ASSERT_EQ(::pipe(finish), 0);
    ASSERT_EQ(::pipe(reports_), 0);
    // All wait for the gate, open, say so, and hold what they have until all have said it.
    const auto creator = [&] {
      char byte;
      ::close(gate[1]);
      ::close(finish[1]);
      (void)!::read(gate[0], &byte, 1);
      const auto store = Store::open(small_options(path_));
      const bool clean = store.ok() || store.error().code == ErrorCode::kStoreInUse;
      if (!clean) ::dprintf(STDERR_FILENO, "a creator: %s\n", store.error().message.c_str());
      const char said = store.ok() ? 'w' : clean ? 'l' : 'x';
      (void)!::write(reports_[1], &said, 1);
      (void)!::read(finish[0], &byte, 1);
      return 0;
    };
    std::array<pid_t, kCreators> children{};
    for (pid_t& child : children) {
      child = ::fork();
      if (child == 0) ::_exit(creator());
    }
    ::close(gate[1]);
    std::string said(kCreators, ' ');
    for (char& one : said) ASSERT_EQ(::read(reports_[0], &one, 1), 1);
    ::close(finish[1]);
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    std::sort(said.begin(), said.end());
    EXPECT_EQ(said, "lllw");
    for (const int end : {gate[0], finish[0], reports_[0], reports_[1]}) ::close(end);
    EXPECT_TRUE(Store::open(small_options(path_)).ok());
  }
}

}  // namespace
}  // namespace revenant::store
