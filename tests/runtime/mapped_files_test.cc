// Views of host files: loaded as they are touched, at the same place in every life, in no snapshot.
#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "runtime/machine.h"
#include "store/store.h"
#include "store/verify.h"
#include "tests/runtime/program_test.h"

namespace revenant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::size_t kBytes = (std::size_t{8} << 20) - 100;
constexpr std::size_t kPageBytes = 4096;

// The eight bytes at each place of the file differ.
std::uint64_t word_at(std::size_t place) { return place * 0x9E3779B97F4A7C15ull; }

bool shows(std::span<const std::byte> view, std::size_t place) {
  std::uint64_t found = 0;
  std::memcpy(&found, view.data() + place, sizeof found);
  return found == word_at(place);
}

class MappedFilesTest : public testing::ProgramTest {
 protected:
  void SetUp() override { write(kBytes); }
  void write(std::size_t bytes) const {
    std::string text;
    for (std::size_t place = 0; place + 8 <= bytes; place += 8) {
      const std::uint64_t word = word_at(place);
      text.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    text.resize(bytes, 'x');
    std::ofstream(data, std::ios::binary) << text;
  }

  // How a program ends that has seen one page of the view, and needs another after `change`.
  template <class F>
  testing::Ended needs_a_page_after(F change) const {
    const auto main = [path = data] {
      const auto view = map_file(path);
      if (!shows(view, 0)) return 10;
      testing::die_here();
      return shows(view, 100 * kPageBytes) ? 0 : 11;
    };
    {
      testing::ChildProgram first(store(), main);
      EXPECT_TRUE(first.says("ready")) << first.wait().err;
      first.kill();
    }
    change();
    return testing::run_to_end(store(), main);
  }

  const std::string data = file("data");
};

TEST_F(MappedFilesTest, AViewSurvivesAtItsPlaceAndCostsOneTicket) {
  const testing::Ended ended = second_life([path = data] {
    const auto view = map_file(path);
    if (view.size() != kBytes) return 10;
    for (std::size_t place = 0; place < kBytes / 2; place += kPageBytes) {
      if (!shows(view, place)) return 11;
    }
    testing::die_here();
    for (std::size_t place = 0; place + 8 <= kBytes; place += kPageBytes) {
      if (!shows(view, place)) return 12;
    }
    const auto again = map_file(fs::path(path).parent_path() / "." / "data");
    if (again.data() != view.data() || again.size() != view.size()) return 13;
    if (runtime::Machine::instance().memory().tickets().statistics().tickets != 1) return 14;
    const memory_statistics now = memory_statistics_now();
    return now.file_pages == 2048 && now.file_faults < 400 ? 0 : 15;
  });
  expect_well(ended);
  const auto reader = store::StoreReader::open(store());
  ASSERT_TRUE(reader.ok());
  const auto verified = store::verify_all((*reader)->history(), {});
  ASSERT_TRUE(verified.ok());
  EXPECT_LT(fs::file_size(store() / "data.mdb"), kBytes / 2) << "the file is in no snapshot";
}

TEST_F(MappedFilesTest, AFileThatIsGoneIsNamedWhereItIsNeeded) {
  const testing::Ended ended = needs_a_page_after([&] { fs::remove(data); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("thread 1 'main' needs the page at 0x56"),
                               HasSubstr("(mapped files) of the file " + data +
                                         ", which is gone; put it back as it was"),
                               HasSubstr("mapped_files_test.cc:")));
}

TEST_F(MappedFilesTest, AFileThatIsShorterIsNamedWithBothLengths) {
  const testing::Ended ended = needs_a_page_after([&] { fs::resize_file(data, 5000); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, HasSubstr("which has 5000 bytes and had 8388508 when it was mapped"));
}

TEST_F(MappedFilesTest, AFileThatWasModifiedIsRefusedThoughItsLengthIsTheSame) {
  const testing::Ended ended = needs_a_page_after(
      [&] { fs::last_write_time(data, fs::last_write_time(data) + std::chrono::seconds(3)); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, HasSubstr("which was modified since it was mapped"));
}

TEST_F(MappedFilesTest, AFileThatWasPutBackAsItWasIsWell) {
  const testing::Ended ended = needs_a_page_after([&] {
    const auto time = fs::last_write_time(data);
    fs::copy(data, data + ".copy");
    fs::rename(data + ".copy", data);
    fs::last_write_time(data, time);
  });
  expect_well(ended);
}

TEST_F(MappedFilesTest, AChangedFileIsRefusedWhileTheProgramRunsToo) {
  const testing::Ended ended = testing::run_to_end(store(), [path = data] {
    const auto view = map_file(path);
    if (!shows(view, 0)) return 10;
    std::ofstream(path) << "other";
    return shows(view, 200 * kPageBytes) ? 0 : 11;
  });
  EXPECT_EQ(ended.exit_code(), 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("which has 5 bytes and had 8388508"));
}

TEST_F(MappedFilesTest, AFunctionOfOnRestartMayMapWhatHasChanged) {
  const auto main = [path = data] {
    auto& view = root<std::pair<std::uintptr_t, std::size_t>>("view");
    const auto map = [&view, path] {
      const auto mapped = map_file(path);
      view = {reinterpret_cast<std::uintptr_t>(mapped.data()), mapped.size()};
    };
    map();
    on_restart(map);
    const auto first = view;
    testing::die_here();
    if (view.first == first.first) return 10;
    const std::span changed(reinterpret_cast<const std::byte*>(view.first), view.second);
    return changed.size() == 16 && shows(changed, 8) ? 0 : 11;
  };
  {
    testing::ChildProgram first(store(), main);
    EXPECT_TRUE(first.says("ready")) << first.wait().err;
    first.kill();
  }
  write(16);
  expect_well(testing::run_to_end(store(), main));
}

TEST_F(MappedFilesTest, ManyFilesLieApartAndSmallOnesToo) {
  const testing::Ended ended = second_life([path = data] {
    std::vector<std::span<const std::byte>> views;
    for (int i = 0; i < 50; ++i) {
      const std::string each = path + std::to_string(i);
      if (generation() == 1) std::ofstream(each) << i << " " << std::string(i * 1000, 'z');
      views.push_back(map_file(each));
    }
    testing::die_here();
    for (int i = 0; i < 50; ++i) {
      const std::string text(reinterpret_cast<const char*>(views[i].data()), views[i].size());
      if (text != std::to_string(i) + " " + std::string(i * 1000, 'z')) return 10;
      if (i > 0 && views[i].data() - views[i - 1].data() < 65536) return 11;
    }
    return 0;
  });
  expect_well(ended);
}

TEST_F(MappedFilesTest, WhatCannotBeMappedIsRefusedBySentence) {
  const testing::Ended ended = testing::run_to_end(store(), [path = data] {
    const auto refusal = [](const fs::path& file) -> std::string {
      try {
        return std::to_string(map_file(file).size());
      } catch (const error& refused) {
        return refused.what();
      }
    };
    const std::string nowhere = path + ".none";
    if (refusal(nowhere) != "cannot map " + nowhere + ": No such file or directory; check the path")
      return 10;
    const std::string directory = fs::path(path).parent_path();
    if (refusal(directory) != "cannot map " + directory + ": it is no regular file; name one")
      return 11;
    std::ofstream empty(path + ".empty");
    if (refusal(path + ".empty") != "0") return 12;
    fs::resize_file(path, std::uintmax_t{70} << 30);
    const std::string too_large = refusal(path);
    if (too_large.find("of 65536 MiB of addresses for files 0 are taken") == std::string::npos)
      return 13;
    return 0;
  });
  expect_well(ended);
}

}  // namespace
}  // namespace revenant
