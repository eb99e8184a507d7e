// Starts that cannot succeed: each ends with its sentence and its exit code, and what was committed
// is there once the fault is gone.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/sanitizer.h"
#include "tests/runtime/program_test.h"
#include "tests/support/own_mounts_linux.h"
#include "tests/support/refused_call.h"

namespace revenant::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

using Prepare = std::function<void()>;

class StartFaults : public ProgramTest {
 protected:
  // Starts a counter on `path` in a process that `prepare` has seen.
  static Ended start(const std::filesystem::path& path, const Prepare& prepare) {
    return ChildProgram([&] {
             prepare();
             options chosen;
             chosen.store = path;
             return run(chosen, [] {
               for (int n = 1;; ++n) {
                 print("{}\n", n);
                 sync();
                 if (n % 3 == 0) return 0;
               }
             });
           })
        .wait();
  }

  // One sentence, that ends with the way out.
  static void expect_refused(const Ended& ended, int exit_code, const std::string& cause,
                             const std::string& way_out) {
    EXPECT_EQ(ended.exit_code(), exit_code) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, AllOf(HasSubstr(cause), EndsWith(way_out + "\n")));
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  }

  void make_store() {
    ASSERT_EQ(start(store(), [] {}).exit_code(), 0);
  }
  // The store as make_store() left it.
  void expect_store_whole() {
    const Ended again = start(store(), [] {});
    expect_well(again);
    EXPECT_THAT(again.err, HasSubstr("has finished with exit code 0"));
  }
  void expect_nothing_made() {
    EXPECT_TRUE(std::filesystem::is_empty(store().parent_path())) << store().parent_path();
  }
  std::string data() const { return (store() / "data.mdb").string(); }
};

Prepare limited(__rlimit_resource resource, rlim_t value) {
  return [=] {
    const rlimit limit{value, value};
    ::setrlimit(resource, &limit);
  };
}

// Tests run as root, too, whom no permission stops.
void become_nobody() {
  if (::geteuid() == 0) ::setuid(65534);
}

TEST_F(StartFaults, ADirectoryThatCannotBeWritten) {
  const std::filesystem::path parent = store().parent_path() / "parent";
  std::filesystem::create_directory(parent);
  ::chmod(parent.c_str(), 0555);
  ::chmod(store().parent_path().c_str(), 0755);
  const Ended ended = start(parent / "store", become_nobody);
  expect_refused(ended, 1, "creating the store " + parent.string() + "/store failed: Permission",
                 "; check the path, its permissions and its disk");
  EXPECT_TRUE(std::filesystem::is_empty(parent));
}

TEST_F(StartFaults, AStoreThatCannotBeWritten) {
  make_store();
  const bool mounts = own_mounts_allowed();
  const Ended ended = start(store(), [&] {
    if (!mounts) return ::chmod(store().c_str(), 0), become_nobody();
    enter_own_mounts();
    remount_read_only(store());
  });
  expect_refused(ended, 1,
                 mounts ? "/lock failed: Read-only file system" : "failed: Permission denied",
                 "; check the path, its permissions and its disk");
  ::chmod(store().c_str(), 0700);
  expect_store_whole();
}

TEST_F(StartFaults, AFileWhereTheStoreShouldBe) {
  std::ofstream(store()) << "text";
  expect_refused(start(store(), [] {}), 10, "it is not a directory", "; name another path");
  expect_refused(start(store() / "inside", [] {}), 10, "it is not a directory",
                 "; name another path");
  EXPECT_EQ(std::filesystem::file_size(store()), 4u);
}

TEST_F(StartFaults, ADirectoryThatIsNoStoreIsNotTouched) {
  std::filesystem::create_directory(store());
  std::ofstream(store() / "letters") << "mine";
  expect_refused(start(store(), [] {}), 10, "it has no identity file",
                 "; name another directory, or one that does not exist yet");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(store()), {}), 1);
}

TEST_F(StartFaults, ADataFileThatIsGoneEmptiedCutOrGarbage) {
  make_store();
  const std::string kept = file("kept");
  std::filesystem::copy(store(), kept, std::filesystem::copy_options::recursive);
  const auto damage = [&](const std::function<void()>& harm, const std::string& cause) {
    harm();
    expect_refused(start(store(), [] {}), 3, cause, "; restore it from a copy");
    std::filesystem::remove_all(store());
    std::filesystem::copy(kept, store(), std::filesystem::copy_options::recursive);
  };
  damage([&] { std::filesystem::remove(data()); }, "its data.mdb is missing");
  damage([&] { std::filesystem::resize_file(data(), 0); }, "its data.mdb has 0 bytes and once had");
  damage([&] { std::filesystem::resize_file(data(), 5000); }, "its data.mdb has 5000 bytes");
  damage(
      [&] {
        std::fstream(data(), std::ios::in | std::ios::out | std::ios::binary)
            << std::string(8192, 'x');
      },
      "the meta pages of its data.mdb are not what was written");
  damage(
      [&] {
        std::fstream(store() / "identity", std::ios::in | std::ios::out | std::ios::binary)
            << "something else";
      },
      "its identity file is not one");
  expect_store_whole();
}

TEST_F(StartFaults, AStoreOfANewerFormat) {
  make_store();
  const std::string identity = (store() / "identity").string();
  std::fstream(identity, std::ios::in | std::ios::out | std::ios::binary).seekp(8).put('\x63');
  expect_refused(start(store(), [] {}), 13, "has format version 99",
                 "; use the build that wrote it");
}

// As for another build, starting the same again does not help.
TEST_F(StartFaults, AnotherProgramsStore) {
  make_store();
  static char other[] = "other";
  expect_refused(start(store(), [] { program_invocation_short_name = other; }), 12,
                 "belongs to the program runtime_tests, not to other",
                 "; name another store with --store");
  expect_store_whole();
}

TEST_F(StartFaults, AStoreThatIsInUse) {
  ChildProgram owner(store(), [] {
    print("here\n");
    for (;;) this_thread::sleep_for(std::chrono::seconds(1));
  });
  ASSERT_TRUE(owner.says("here"));
  expect_refused(start(store(), [] {}), 11, "is in use by process",
                 "; stop that program, or name another store");
}

TEST_F(StartFaults, AFileSystemThatLiesAboutLocks) {
  const std::string way_out = ", so two programs could write to it at once; put it on a local disk";
  const std::string lie = "its file system gives one lock to two at once";
  expect_refused(start(store(), [] { refuse_call(SYS_flock, 0); }), 13, lie, way_out);
  expect_refused(start(store(), [] { refuse_command(SYS_fcntl, F_OFD_SETLK, 0); }), 13, lie,
                 way_out);
  expect_refused(start(store(), [] { refuse_call(SYS_flock, ENOLCK); }), 13,
                 "has no locks (No locks available)", way_out);
  expect_refused(start(store(), [] { refuse_command(SYS_fcntl, F_OFD_SETLK, EOPNOTSUPP); }), 13,
                 "has no locks (Operation not supported)", way_out);
  expect_nothing_made();
}

TEST_F(StartFaults, AFullDisk) {
  if (!own_mounts_allowed()) {  // as full as a file can be
    const Ended ended = start(store(), limited(RLIMIT_FSIZE, 32 << 10));
    expect_refused(ended, 15, "File too large", "; raise the limit of file sizes (ulimit -f)");
    return;
  }
  for (const std::uint64_t room_kib : {4, 32, 68, 76}) {
    const Ended ended = start(store() / "disk" / "store", [&] {
      enter_own_mounts();
      mount_small_disk(store(), room_kib << 10);
    });
    expect_refused(ended, 15, "No space left on device", "; free some space on its disk");
  }
}

TEST_F(StartFaults, ALimitOfFileSizes) {
  for (const rlim_t limit : {0, 1024, 16 * 1024}) {
    expect_refused(start(store(), limited(RLIMIT_FSIZE, limit)), 15, "File too large",
                   "; raise the limit of file sizes (ulimit -f)");
    expect_nothing_made();
  }
}

TEST_F(StartFaults, TooFewOpenFiles) {
  expect_refused(start(store(), limited(RLIMIT_NOFILE, 8)), 13, "8 files may be open",
                 "; raise the limit (ulimit -n)");
}

TEST_F(StartFaults, TooSmallAStack) {
  expect_refused(start(store(), limited(RLIMIT_STACK, 16 << 10)), 13,
                 "the limit of its main thread's stack is 16 KiB",
                 "; raise it to 32 KiB or more (ulimit -s)");
}

// Sanitizers start threads of their own.
#ifndef REVENANT_SANITIZED
TEST_F(StartFaults, NoThreadsLeft) {
  make_store();
  const Ended ended =
      start(file("other"), [] { refuse_call(SYS_clone3, EAGAIN), refuse_call(SYS_clone, EAGAIN); });
  EXPECT_EQ(ended.exit_code(), 13) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("cannot start thread 'housekeeping': Resource"),
                               EndsWith("; raise RLIMIT_NPROC (ulimit -u)\n")));
}

// And they map terabytes.
TEST_F(StartFaults, TooLittleMemory) {
  const std::string way_out = "; lift it (ulimit -v unlimited)";
  for (const rlim_t mib : {64, 900, 4000, 600'000}) {
    expect_refused(start(store(), limited(RLIMIT_AS, mib << 20)), 13,
                   "the limit of its address space is " + std::to_string(mib) + " MiB", way_out);
  }
  expect_refused(start(store(), limited(RLIMIT_DATA, 64 << 20)), 13,
                 "the limit of its data is 64 MiB", "; lift it (ulimit -d unlimited)");
}

TEST_F(StartFaults, AStoreIsMappedBesideTheSpaceWhereAddressesAreLimited) {
  for (const rlim_t mib : {1'100'000, 1'600'000, 2'000'000}) {
    const Ended ended = start(file(std::to_string(mib).c_str()), limited(RLIMIT_AS, mib << 20));
    EXPECT_EQ(ended.exit_code(), 0) << mib << ended.err;
    EXPECT_EQ(ended.out, "1\n2\n3\n");
  }
}
#endif

}  // namespace
}  // namespace revenant::testing
