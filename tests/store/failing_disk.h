// Ways in which a store's disk fails it, and a store to fail.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>

#include "store/files.h"
#include "store/store.h"
#include "tests/store/page_model.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {

inline constexpr std::uint64_t kFirst = 0x560000000ull;

inline base::Result<base::Epoch> commit_pages(Store& store, std::uint64_t count,
                                              std::uint64_t stamp) {
  EpochWriter& writer = store.begin_epoch();
  const Frame frame = frame_of(stamp);
  const ContentHash hash = hash_page(frame.data());
  for (std::uint64_t page = 0; page < count; ++page) {
    const auto put = writer.put({kFirst + page}, frame.data(), hash);
    if (!put.ok()) {
      writer.abort();
      return put.error();
    }
  }
  return writer.commit({});
}

// No file of this process grows beyond `bytes` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

// The store's data.mdb cannot be opened again while it lives; who has it open keeps it.
class DataOutOfReach {
 public:
  explicit DataOutOfReach(const std::filesystem::path& store) : data_(store / "data.mdb") {
    std::filesystem::rename(data_, away());
    std::filesystem::create_directory(data_);
  }
  ~DataOutOfReach() {
    std::filesystem::remove(data_);
    std::filesystem::rename(away(), data_);
  }

 private:
  [[nodiscard]] std::filesystem::path away() const { return data_.string() + ".away"; }

  const std::filesystem::path data_;
};

// LMDB's descriptor for its meta pages, which writes synchronously, or the one for all else.
inline int descriptor_of(const std::filesystem::path& store, bool metas) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code failed;
    const auto target = std::filesystem::read_symlink(entry.path(), failed);
    const int number = std::stoi(entry.path().filename().string());
    if (target != store / "data.mdb") continue;
    if (((::fcntl(number, F_GETFL) & O_DSYNC) != 0) == metas) return number;
  }
  return -1;
}

// Replaces it by one that cannot be written.
inline void break_meta_writes(const std::filesystem::path& store) {
  const int number = descriptor_of(store, true);
  if (number < 0) return;
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ::dup2(full.get(), number);
}

// The store's data.mdb can be written and is in memory, but cannot be read while it lives.
class UnreadableData {
 public:
  explicit UnreadableData(const std::filesystem::path& store)
      : number_(descriptor_of(store, false)), kept_(::fcntl(number_, F_DUPFD_CLOEXEC, 0)) {
    const FileDescriptor blind(::open((store / "data.mdb").c_str(), O_WRONLY | O_CLOEXEC));
    ::dup2(blind.get(), number_);
  }
  ~UnreadableData() { ::dup2(kept_.get(), number_); }

 private:
  const int number_;
  const FileDescriptor kept_;
};

class StoreFailureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    ASSERT_TRUE(commit_pages(*store_, 10, 1).ok());
  }

  void open() {
    store_.reset();
    auto opened = Store::open(small_options(path_));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(*opened);
  }

  void expect_pages(std::uint64_t count, std::uint64_t stamp) {
    Frame frame;
    for (std::uint64_t page = 0; page < count; ++page) {
      ASSERT_EQ(store_->fetch({kFirst + page}, base::kNoEpoch, frame.data()), FetchOutcome::kImage);
      EXPECT_EQ(frame, frame_of(stamp));
    }
    EXPECT_EQ(findings(store_->history()), "");
  }

  testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "store";
  std::unique_ptr<Store> store_;
};

}  // namespace revenant::store
