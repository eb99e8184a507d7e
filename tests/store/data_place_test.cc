// A store whose place cannot be looked up any more is not taken for one that was moved away.
#include "store/data_place.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "store/store.h"
#include "tests/store/page_model.h"
#include "tests/support/forked.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

constexpr uid_t kNobody = 65534;
constexpr int kNotHidden = 2;

// Opens a store in a child, has `hide` change what the child can see, and goes on with it.
template <class Hide>
int go_on_after(const std::filesystem::path& path, Hide hide) {
  return testing::in_child([&] {
    auto store = Store::open(small_options(path));
    if (!store.ok() || !commit_a_page(**store, 1).ok()) return 1;
    if (!hide()) return kNotHidden;
    const auto there = (*store)->make_available();
    if (!there.ok()) std::fprintf(stderr, "%s\n", there.error().message.c_str());
    if (!there.ok()) return 3;
    return commit_a_page(**store, 2).ok() ? 0 : 4;
  });
}

TEST(DataPlace, BehindADirectoryThatIsClosedToItIsStillThere) {
  const testing::TemporaryDirectory directory;
  const auto closed = directory / "closed";
  std::filesystem::create_directory(closed);
  EXPECT_EQ(go_on_after(closed / "store",
                        [&] {
                          if (::geteuid() != 0) return ::chmod(closed.c_str(), 0) == 0;
                          return ::chmod(closed.c_str(), 0700) == 0 && ::setuid(kNobody) == 0;
                        }),
            0);
  ::chmod(closed.c_str(), 0700);
}

TEST(DataPlace, OutsideOfTheRootThatTheProgramHasChosenIsStillThere) {
  const testing::TemporaryDirectory directory;
  const auto jail = directory / "jail";
  std::filesystem::create_directory(jail);
  const int end = go_on_after(directory / "store", [&] {
    if (::chroot(jail.c_str()) == 0) return true;
    return ::unshare(CLONE_NEWUSER) == 0 && ::chroot(jail.c_str()) == 0;
  });
  // A host that lets nobody change the root leaves nothing to be outside of.
  EXPECT_TRUE(end == 0 || end == kNotHidden) << end;
}

TEST(DataPlace, IsGoneOnceItWasMovedAndAnotherOnceItWasReplaced) {
  const testing::TemporaryDirectory directory;
  const auto data = directory / "data";
  const auto elsewhere = directory / "elsewhere";
  const DataPlace place;
  std::FILE* const file = std::fopen(data.c_str(), "w");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(place.look(data, ::fileno(file)), DataPlace::Finding::kThere);
  std::filesystem::rename(data, elsewhere);
  EXPECT_EQ(place.look(data, ::fileno(file)), DataPlace::Finding::kGone);
  EXPECT_EQ(place.look(elsewhere / "data", ::fileno(file)), DataPlace::Finding::kGone);
  std::filesystem::copy(elsewhere, data);
  EXPECT_EQ(place.look(data, ::fileno(file)), DataPlace::Finding::kAnother);
  std::fclose(file);
}

}  // namespace
}  // namespace revenant::store
