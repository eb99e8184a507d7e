// Reading and writing by green threads: contents over missing pages, and who waits meanwhile.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

// glibc 2.36 declares it for C only.
extern "C" int pidfd_open(pid_t process, unsigned flags) noexcept;

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSize = 3 << 20;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 4096);
  return text;
}

class Io : public ProgramTest {};

TEST_F(Io, ReadsIntoPagesThatAreMissing) {
  const std::string path = file("data");
  std::ofstream(path) << pattern(kSize);
  expect_well(run_to_end(store(), [path] {
    const int descriptor = ::open(path.c_str(), O_RDONLY);
    EXPECT_IN_CHILD(descriptor >= 0);
    const auto whole = std::make_unique<char[]>(kSize + 100);
    EXPECT_IN_CHILD(::read(descriptor, whole.get(), kSize + 100) == kSize);
    EXPECT_IN_CHILD(std::string_view(whole.get(), kSize) == pattern(kSize));
    EXPECT_IN_CHILD(::read(descriptor, whole.get(), 1) == 0);
    std::vector<char> first(70'000);
    std::vector<char> second(5'000);
    const iovec parts[] = {{first.data(), first.size()}, {second.data(), second.size()}};
    EXPECT_IN_CHILD(::preadv(descriptor, parts, 2, 1234) == 75'000);
    EXPECT_IN_CHILD(std::string_view(first.data(), 70'000) == pattern(kSize).substr(1234, 70'000));
    EXPECT_IN_CHILD(std::string_view(second.data(), 5'000) == pattern(kSize).substr(71'234, 5'000));
    EXPECT_IN_CHILD(::close(descriptor) == 0);
    EXPECT_IN_CHILD(::read(descriptor, whole.get(), 1) == -1 && errno == EBADF);
    return 0;
  }));
}

// Where the file system knows O_DIRECT, which refuses buffers that lie otherwise than its blocks.
int open_directly(const std::string& path, int flags) {
  const int direct = ::open(path.c_str(), flags | O_DIRECT, 0600);
  return direct >= 0 ? direct : ::open(path.c_str(), flags, 0600);
}

TEST_F(Io, AlignedBuffersStayAligned) {
  expect_well(run_to_end(store(), [path = file("direct")] {
    constexpr std::size_t kPage = 4096;
    const int descriptor = open_directly(path, O_RDWR | O_CREAT);
    const std::unique_ptr<char, decltype(&std::free)> block(
        static_cast<char*>(std::aligned_alloc(kPage, 3 * kPage)), &std::free);
    const std::string written = pattern(3 * kPage);
    written.copy(block.get(), written.size());
    EXPECT_IN_CHILD(::write(descriptor, block.get(), 3 * kPage) == 3 * kPage);
    EXPECT_IN_CHILD(::pwrite(descriptor, block.get(), kPage, 2 * kPage) == kPage);
    std::memset(block.get(), 0, 3 * kPage);
    EXPECT_IN_CHILD(::pread(descriptor, block.get() + kPage, kPage, kPage) == kPage);
    EXPECT_IN_CHILD(std::string_view(block.get() + kPage, kPage) == written.substr(kPage, kPage));
    const iovec parts[] = {{block.get(), kPage}, {block.get() + kPage, 2 * kPage}};
    EXPECT_IN_CHILD(::preadv(descriptor, parts, 2, 0) == 3 * kPage);
    EXPECT_IN_CHILD(std::string_view(block.get(), 2 * kPage) == written.substr(0, 2 * kPage));
    EXPECT_IN_CHILD(::lseek(descriptor, 0, SEEK_SET) == 0);
    EXPECT_IN_CHILD(::read(descriptor, block.get(), kPage) == kPage);
    return 0;
  }));
}

// After a restart every page of the heap is missing: the path's, the data's and the result's.
TEST_F(Io, WritesFromPagesThatARestartLeftMissing) {
  const std::string path = file("written");
  const auto main = [path] {
    const std::string data = pattern(kSize);
    const auto status = std::make_unique<struct stat>();
    sync();
    print("ready\n");
    while (generation() == 1) this_thread::sleep_for(1ms);
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    EXPECT_IN_CHILD(descriptor >= 0);
    EXPECT_IN_CHILD(::write(descriptor, data.data(), data.size()) == kSize);
    EXPECT_IN_CHILD(::stat(path.c_str(), status.get()) == 0 && status->st_size == kSize);
    return 0;
  };
  expect_well(second_life(main));
  std::ifstream written(path);
  const std::string contents{std::istreambuf_iterator<char>(written), {}};
  EXPECT_TRUE(contents == pattern(kSize));
}

TEST_F(Io, ABlockedReadLetsThreadsAndSnapshotsGoOn) {
  expect_well(run_to_end(store(), [] {
    int ends[2];
    EXPECT_IN_CHILD(::pipe(ends) == 0);
    std::string got(5, '\0');
    ssize_t count = 0;
    thread reader([&] { count = ::read(ends[0], got.data(), got.size()); });
    this_thread::sleep_for(20ms);
    EXPECT_IN_CHILD(sync() > 0);
    EXPECT_IN_CHILD(::write(ends[1], "hello", 5) == 5);
    reader.join();
    EXPECT_IN_CHILD(count == 5 && got == "hello");
    return 0;
  }));
}

TEST_F(Io, ALargeWriteWaitsForItsReader) {
  expect_well(run_to_end(store(), [] {
    int ends[2];
    EXPECT_IN_CHILD(::pipe(ends) == 0);
    const std::string sent = pattern(kSize);
    ssize_t written = 0;
    thread writer([&] {
      written = ::write(ends[1], sent.data(), sent.size());
      ::close(ends[1]);
    });
    std::string got;
    std::vector<char> part(10'000);
    for (ssize_t size; (size = ::read(ends[0], part.data(), part.size())) > 0;) {
      got.append(part.data(), static_cast<std::size_t>(size));
    }
    writer.join();
    EXPECT_IN_CHILD(written == kSize);
    EXPECT_IN_CHILD(got == sent);
    return 0;
  }));
}

TEST_F(Io, ANonBlockingReadDoesNotWait) {
  expect_well(run_to_end(store(), [] {
    int ends[2];
    EXPECT_IN_CHILD(::pipe2(ends, O_NONBLOCK) == 0);
    char byte = 0;
    EXPECT_IN_CHILD(::read(ends[0], &byte, 1) == -1 && errno == EAGAIN);
    return 0;
  }));
}

// The thread is restored inside read(0): its call is made again, on the new process's stdin.
TEST_F(Io, AReadThatARestartCutOffIsMadeAgain) {
  const auto main = [] {
    int pipe_ends[2];
    EXPECT_IN_CHILD(::pipe(pipe_ends) == 0);
    int refused = 0;
    thread on_pipe([&] {
      char byte = 0;
      if (::read(pipe_ends[0], &byte, 1) == -1) refused = errno;
    });
    std::string got(16, '\0');
    thread watcher([] {
      this_thread::sleep_for(20ms);
      sync();
      print("waiting\n");
    });
    const ssize_t size = ::read(STDIN_FILENO, got.data(), got.size());
    EXPECT_IN_CHILD(size == 6 && got.substr(0, 6) == "answer");
    EXPECT_IN_CHILD(generation() == 2);
    on_pipe.join();
    EXPECT_IN_CHILD(refused == EBADF);
    return 0;
  };
  {
    ChildProgram first(store(), main);
    ASSERT_TRUE(first.says("waiting"));
    first.kill();
  }
  ChildProgram second(store(), main);
  second.tell("answer");
  expect_well(second.wait());
}

TEST_F(Io, ADescriptorOfAnEarlierProcessIsRefused) {
  const std::string path = file("file");
  const auto main = [path] {
    const int old_one = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    EXPECT_IN_CHILD(::write(old_one, "1", 1) == 1);
    sync();
    print("ready\n");
    while (generation() == 1) this_thread::sleep_for(1ms);
    EXPECT_IN_CHILD(::write(old_one, "2", 1) == -1 && errno == EBADF);
    EXPECT_IN_CHILD(::fcntl(old_one, F_GETFL) == -1 && errno == EBADF);
    const int new_one = ::open(path.c_str(), O_RDONLY);
    EXPECT_IN_CHILD(new_one >= 0 && new_one != old_one);
    EXPECT_IN_CHILD(::close(old_one) == -1 && errno == EBADF);
    EXPECT_IN_CHILD(::open(path.c_str(), O_RDONLY) == old_one);
    return 0;
  };
  expect_well(second_life(main));
}

// Of calls that nobody makes by their libc's names, too.
TEST_F(Io, DescriptorsOfRawCallsAreOfTheLifeThatMadeThem) {
  expect_well(second_life([] {
    int held[16];
    for (int& each : held) each = ::open("/dev/null", O_RDONLY);
    die_here();
    int made[6];
    made[0] = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
    made[1] = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY));
    made[2] = static_cast<int>(::syscall(SYS_eventfd2, 1, 0));
    made[3] = ::pidfd_open(::getpid(), 0);
    EXPECT_IN_CHILD(::syscall(SYS_pipe2, made + 4, O_CLOEXEC) == 0);
    for (const int each : made) {
      EXPECT_IN_CHILD(::fcntl(each, F_GETFD) >= 0);
      EXPECT_IN_CHILD(std::ranges::find(held, each) == std::end(held));
    }
    const auto moved = static_cast<int>(::syscall(SYS_dup2, made[1], held[3]));
    EXPECT_IN_CHILD(moved == held[3] && ::fcntl(moved, F_GETFD) >= 0);
    EXPECT_IN_CHILD(::syscall(SYS_close, moved) == 0 && ::fcntl(moved, F_GETFD) == -1);
    EXPECT_IN_CHILD(::syscall(SYS_close_range, 3, ~0U, 0) == 0);
    EXPECT_IN_CHILD(::fcntl(made[0], F_GETFD) == -1);
    EXPECT_IN_CHILD(sync() > 0);
    return 0;
  }));
}

TEST_F(Io, TheRuntimesDescriptorsAreOutOfReach) {
  expect_well(run_to_end(store(), [] {
    const int own = ::open("/dev/null", O_RDONLY);
    EXPECT_IN_CHILD(own >= 3);
    for (int number = 3; number < 100'000; ++number) {
      if (number != own && ::dup2(own, number) < 0) EXPECT_IN_CHILD(errno == EBADF);
      ::close(number);
      EXPECT_IN_CHILD(number == own || ::lseek(number, 0, SEEK_CUR) == -1);
      if (number != own) continue;
      // Where the test was started with a descriptor open, a lower number is free by now.
      const int again = ::open("/dev/null", O_RDONLY);
      EXPECT_IN_CHILD(again == own || ::dup2(again, own) == own);
      if (again != own) ::close(again);
    }
    EXPECT_IN_CHILD(sync() > 0);
    return 0;
  }));
}

void lower_file_limit(rlim_t files) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = files;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// With more files than the program allows itself later, the runtime's lie where no number is to be
// had any more. Its eventfd for waits is opened with the first wait.
TEST_F(Io, ALoweredLimitLeavesTheRuntimesDescriptorsOutOfReach) {
  const std::string path = file("victim");
  expect_well(run_to_end(store(), [path] {
    lower_file_limit(256);
    int ends[2];
    EXPECT_IN_CHILD(::pipe(ends) == 0);
    char got = 0;
    thread reader([&] { got = ::read(ends[0], &got, 1) == 1 ? got : '?'; });
    this_thread::yield();  // it waits, and is waited for
    ::closefrom(std::max(ends[0], ends[1]) + 1);
    int victims[8];
    for (int& each : victims) each = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    EXPECT_IN_CHILD(::write(ends[1], "x", 1) == 1);
    reader.join();
    EXPECT_IN_CHILD(got == 'x');
    thread([&] { got = ::read(ends[0], &got, 1) == 1 ? got : '?'; }).swap(reader);
    this_thread::yield();
    EXPECT_IN_CHILD(::write(ends[1], "y", 1) == 1);
    reader.join();
    EXPECT_IN_CHILD(got == 'y');
    for (const int each : victims) EXPECT_IN_CHILD(::lseek(each, 0, SEEK_END) == 0);
    EXPECT_IN_CHILD(sync() > 0);
    return 0;
  }));
}

TEST_F(Io, ClosingARangeLeavesTheRuntimesDescriptors) {
  expect_well(run_to_end(store(), [] {
    const int own = ::open("/dev/null", O_RDONLY);
    EXPECT_IN_CHILD(::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0);
    EXPECT_IN_CHILD(::fcntl(own, F_GETFD) == FD_CLOEXEC);
    EXPECT_IN_CHILD(::close_range(3, ~0U, 0) == 0);
    EXPECT_IN_CHILD(::fcntl(own, F_GETFD) == -1 && errno == EBADF);
    const int again = ::open("/dev/null", O_RDONLY);
    ::closefrom(3);
    EXPECT_IN_CHILD(::fcntl(again, F_GETFD) == -1 && errno == EBADF);
    EXPECT_IN_CHILD(::close_range(4, 3, 0) == -1 && errno == EINVAL);
    EXPECT_IN_CHILD(::close_range(3, ~0U, CLOSE_RANGE_UNSHARE) == -1 && errno == EINVAL);
    EXPECT_IN_CHILD(sync() > 0);
    return 0;
  }));
}

// stdio calls libc's inner names, with its own locks held.
TEST_F(Io, StdioWorksThroughPersistentBuffers) {
  const std::string path = file("lines");
  const Ended ended = run_to_end(store(), [path] {
    std::FILE* file = std::fopen(path.c_str(), "w+");
    EXPECT_IN_CHILD(file != nullptr);
    for (int i = 0; i < 10'000; ++i) std::fprintf(file, "line %d\n", i);
    std::rewind(file);
    int number = -1;
    int seen = 0;
    while (std::fscanf(file, "line %d\n", &number) == 1 && number == seen) ++seen;
    EXPECT_IN_CHILD(seen == 10'000);
    EXPECT_IN_CHILD(std::fclose(file) == 0);
    std::printf("from %s\n", "printf");
    std::fflush(stdout);
    return 0;
  });
  expect_well(ended);
  EXPECT_NE(ended.out.find("from printf\n"), std::string::npos);
}

TEST_F(Io, FilesystemCallsTakePersistentPaths) {
  const std::string base = file("tree");
  expect_well(run_to_end(store(), [base] {
    namespace fs = std::filesystem;
    EXPECT_IN_CHILD(fs::create_directories(base + "/a/b"));
    std::ofstream(base + "/a/b/file") << "contents";
    fs::create_symlink(base + "/a/b/file", base + "/link");
    EXPECT_IN_CHILD(fs::read_symlink(base + "/link") == base + "/a/b/file");
    EXPECT_IN_CHILD(fs::file_size(base + "/link") == 8);
    fs::rename(base + "/a/b/file", base + "/a/moved");
    int entries = 0;
    for (const auto& entry : fs::recursive_directory_iterator(base)) {
      entries += entry.path().empty() ? 0 : 1;
    }
    EXPECT_IN_CHILD(entries == 4);
    EXPECT_IN_CHILD(fs::remove_all(base) == 5);
    EXPECT_IN_CHILD(!fs::current_path().empty());
    return 0;
  }));
}

}  // namespace
}  // namespace revenant::testing
