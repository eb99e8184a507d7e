#include "runtime/host/descriptor_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

namespace revenant::runtime {
namespace {

// A table of the test's own memory, which two "processes" share as the space would.
class DescriptorTableTest : public ::testing::Test {
 protected:
  std::unique_ptr<DescriptorTable::Entry[]> entries_ =
      std::make_unique<DescriptorTable::Entry[]>(kDescriptorLimit);

  // As a process of that generation has it.
  std::unique_ptr<DescriptorTable> of_generation(std::uint64_t generation) {
    auto table = std::make_unique<DescriptorTable>(entries_.get());
    table->attach(generation);
    return table;
  }
  static int some_file() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
};

TEST_F(DescriptorTableTest, OnlyWhatWasAdoptedIsUsable) {
  const auto table = of_generation(1);
  const int descriptor = some_file();
  EXPECT_FALSE(table->usable(descriptor));
  EXPECT_EQ(table->put_in_place(STDIN_FILENO, descriptor, 0), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(table->adopt(descriptor), descriptor);
  EXPECT_TRUE(table->usable(descriptor));
  EXPECT_EQ(table->put_in_place(STDIN_FILENO, descriptor, 0), descriptor);
  EXPECT_EQ(table->put_in_place(STDIN_FILENO, descriptor, O_CLOEXEC), descriptor);
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(table->put_in_place(STDIN_FILENO, descriptor, O_APPEND), -1);
  EXPECT_EQ(errno, EINVAL);
  table->forget(descriptor);
  EXPECT_FALSE(table->usable(descriptor));
  ::close(descriptor);
}

TEST_F(DescriptorTableTest, StandardDescriptorsAreAlwaysUsable) {
  const auto table = of_generation(7);
  for (const int descriptor : {0, 1, 2}) EXPECT_TRUE(table->usable(descriptor));
  for (const int descriptor : {-1, kDescriptorLimit}) EXPECT_FALSE(table->usable(descriptor));
}

TEST_F(DescriptorTableTest, ANumberOfAnEarlierGenerationIsStaleAndNotHandedOut) {
  const int first = of_generation(1)->adopt(some_file());
  ::close(first);  // as the end of the process does
  const auto table = of_generation(2);
  EXPECT_FALSE(table->usable(first));
  const int opened = some_file();
  ASSERT_EQ(opened, first);  // the lowest free number, as ever
  const int moved = table->adopt(opened);
  EXPECT_NE(moved, first);
  EXPECT_TRUE(table->usable(moved));
  EXPECT_EQ(::fcntl(moved, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(first, F_GETFD), -1);
  table->forget(first);
  const int again = some_file();
  EXPECT_EQ(table->adopt(again), first);
  ::close(again);
  ::close(moved);
}

TEST_F(DescriptorTableTest, WithoutNumbersLeftTheOldestIsUsedAgain) {
  const int limit = static_cast<int>(::sysconf(_SC_OPEN_MAX));
  for (int number = 3; number < limit && number < kDescriptorLimit; ++number) entries_[number] = 5;
  int oldest = 10;
  while (::fcntl(oldest, F_GETFD) >= 0) ++oldest;  // the test may have inherited some
  entries_[oldest] = 2;
  const auto table = of_generation(6);
  EXPECT_EQ(table->adopt(some_file()), oldest);
  EXPECT_TRUE(table->usable(oldest));
  ::close(oldest);
}

TEST_F(DescriptorTableTest, InheritedDescriptorsAreUsableAndTheRuntimesOwnMoveUp) {
  const int inherited = some_file();
  DescriptorTable table(entries_.get());
  EXPECT_EQ(table.make_own([=] { return inherited; }), inherited)
      << "before run() everything stays where it is";
  ASSERT_TRUE(table.note_inherited().ok());
  int own = -1;
  const int moved = table.make_own([&] { return own = some_file(); });
  table.attach(1);
  EXPECT_TRUE(table.usable(inherited));
  EXPECT_FALSE(table.usable(moved));
  EXPECT_GT(moved, inherited + 100);
  EXPECT_EQ(::fcntl(own, F_GETFD), -1);
  ::close(moved);
  ::close(inherited);
}

TEST_F(DescriptorTableTest, TheRuntimesOwnStayOutOfReachWhereTheyCannotMoveUp) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  DescriptorTable table(entries_.get());
  ASSERT_TRUE(table.note_inherited().ok());
  table.attach(1);
  const rlimit low{200, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const int high = table.make_own(some_file);
  const int lowest = ::dup(high);  // the one number that is to be had
  const rlimit none{static_cast<rlim_t>(lowest) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  ::close(lowest);
  const int there = table.make_own(some_file);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_GE(high, 200 - 64);
  EXPECT_EQ(there, lowest);
  for (const int own : {high, there}) {
    EXPECT_FALSE(table.usable(own));
    EXPECT_EQ(table.put_in_place(STDIN_FILENO, own, 0), -1);
    EXPECT_EQ(table.close_own(own), 0);
    EXPECT_EQ(table.put_in_place(STDIN_FILENO, own, 0), own);
    EXPECT_TRUE(table.usable(own));
    ::close(own);
  }
}

TEST_F(DescriptorTableTest, WhatMayBeTheRuntimesInAMomentIsNobodysElse) {
  DescriptorTable table(entries_.get());
  ASSERT_TRUE(table.note_inherited().ok());
  table.attach(1);
  const int own = table.make_own([&] {
    const int opened = some_file();
    EXPECT_FALSE(table.usable(opened)) << "it is not noted yet";
    EXPECT_EQ(table.put_in_place(STDIN_FILENO, opened, 0), -1);
    return opened;
  });
  EXPECT_FALSE(table.usable(own));
  table.close_own(own);
}

TEST_F(DescriptorTableTest, WhatACallNobodyRedirectsHasOpenedIsOfTheGenerationThatUsesIt) {
  DescriptorTable table(entries_.get());
  ASSERT_TRUE(table.note_inherited().ok());
  table.attach(3);
  const int opened = some_file();
  EXPECT_TRUE(table.usable(opened));
  EXPECT_FALSE(table.usable(opened + 1)) << "it is not open";
  EXPECT_FALSE(of_generation(4)->usable(opened));
  ::close(opened);
}

TEST_F(DescriptorTableTest, TooLowALimitIsRefusedWithTheWayOut) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  DescriptorTable table(entries_.get());
  for (const rlim_t limit : {3, 10}) {
    const rlimit low{limit, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    const base::Status refused = table.note_inherited();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, base::ErrorCode::kUnsupportedHost);
    EXPECT_NE(refused.error().message.find("ulimit -n"), std::string::npos);
  }
}

}  // namespace
}  // namespace revenant::runtime
