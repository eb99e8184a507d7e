// Flipped bits and torn blocks in data.mdb: each is found or harmless, and never wrong data.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "store/store.h"
#include "tests/store/page_model.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

enum Verdict : int { kHarmless = 0, kFound = 3, kWrong = 4 };

using Revisions = std::map<base::Epoch, Pages>;

// Reads everything there is, as a tool would.
Verdict read_all(const std::filesystem::path& path, const Revisions& revisions) {
  auto reader = StoreReader::open(path);
  if (!reader.ok()) return kFound;
  const History& history = (*reader)->history();
  const auto snapshots = history.snapshots();
  if (!snapshots.ok()) return kFound;
  bool found = !findings(history).empty();
  Frame frame;
  for (const auto& [revision, pages] : revisions) {
    auto view = history.view(revision);
    if (!view.ok()) {
      found = true;
      continue;
    }
    for (const auto& [page, stamp] : pages) {
      const auto read = view->read({page}, frame.data());
      if (!read.ok()) found = true;
      if (read.ok() && (!*read || frame != frame_of(stamp))) return kWrong;
    }
  }
  return found ? kFound : kHarmless;
}

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::mt19937_64 random(testing::seed());
    auto store = Store::open(small_options(path_));
    ASSERT_TRUE(store.ok());
    Pages pages;
    for (int epoch = 0; epoch < 6; ++epoch) {
      EpochWriter& writer = (*store)->begin_epoch();
      for (const Change& change : random_changes(random, 60)) {
        ASSERT_TRUE(apply(change, writer).ok());
        apply(change, pages);
      }
      const auto revision = writer.commit({});
      ASSERT_TRUE(revision.ok());
      revisions_[*revision] = pages;
    }
    store->reset();
    std::ifstream file(path_ / "data.mdb", std::ios::binary);
    data_.assign(std::istreambuf_iterator<char>(file), {});
  }

  // In a child: LMDB trusts its own structure and may crash on it, which finds the damage, too.
  Verdict judge(const std::string& data) {
    std::ofstream(path_ / "data.mdb", std::ios::binary) << data;
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
      ::alarm(60);
      ::_exit(read_all(path_, revisions_));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status)) return kFound;
    return WEXITSTATUS(status) == kHarmless || WEXITSTATUS(status) == kWrong
               ? static_cast<Verdict>(WEXITSTATUS(status))
               : kFound;
  }

  testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "store";
  Revisions revisions_;
  std::string data_;
};

TEST_F(DamageTest, AWholeStoreIsHarmless) { EXPECT_EQ(judge(data_), kHarmless); }

TEST_F(DamageTest, FlippedBitsNeverGiveWrongData) {
  std::mt19937_64 random(testing::seed());
  int found = 0;
  for (int flip = 0; flip < 150; ++flip) {
    std::string damaged = data_;
    const std::size_t at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    const Verdict verdict = judge(damaged);
    ASSERT_NE(verdict, kWrong) << "byte " << at;
    found += verdict == kFound;
  }
  EXPECT_GT(found, 30);
}

TEST_F(DamageTest, ZeroedBlocksNeverGiveWrongData) {
  std::mt19937_64 random(testing::seed());
  for (int block = 0; block < 40; ++block) {
    std::string damaged = data_;
    const std::size_t at = random() % (damaged.size() / 512) * 512;
    damaged.replace(at, 512, 512, '\0');
    ASSERT_NE(judge(damaged), kWrong) << "byte " << at;
  }
}

}  // namespace
}  // namespace revenant::store
