#include "runtime/host/descriptor_table.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "base/standard_descriptors.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

constexpr int kStandardDescriptors = 3;
constexpr int kRuntimeDescriptors = 64;
// A descriptor table of the kernel's takes memory up to its highest number.
constexpr int kHighestBase = 65536;
// How long one waits for the runtime's own to be made: 1000 naps, of 0.1 ms with the timer's slack.
constexpr int kMostNaps = 1000;
constexpr timespec kNap{.tv_sec = 0, .tv_nsec = 50'000};

int descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kDescriptorLimit));
}

int find_runtime_base() {
  return std::max(kStandardDescriptors,
                  std::min(descriptor_limit(), kHighestBase) - kRuntimeDescriptors);
}

bool is_open(int descriptor) { return __real_fcntl(descriptor, F_GETFD) >= 0; }

// Another of `descriptor`, with the lowest free number from `lowest` on; -1 when there is none.
int copy_to(int descriptor, int lowest) {
  const int flags = __real_fcntl(descriptor, F_GETFD);
  const int command = (flags & FD_CLOEXEC) != 0 ? F_DUPFD_CLOEXEC : F_DUPFD;
  return __real_fcntl(descriptor, command, lowest);
}

int move_to(int descriptor, int lowest) {
  const int moved = copy_to(descriptor, lowest);
  if (moved >= 0) __real_close(descriptor);
  return moved;
}

}  // namespace

DescriptorTable& DescriptorTable::instance() {
  alignas(DescriptorTable) static std::byte storage[sizeof(DescriptorTable)];
  static DescriptorTable* const table =
      new (storage) DescriptorTable(reinterpret_cast<Entry*>(kDescriptorTableRun.first.pointer()));
  return *table;
}

base::Status DescriptorTable::note_inherited() {
  base::open_standard_descriptors();
  runtime_base_ = find_runtime_base();
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failed)) {
    const std::string name = entry.path().filename().string();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    inherited_.push_back(descriptor);
  }
  // The iterator's own is closed by now.
  std::erase_if(inherited_, [](int descriptor) { return !is_open(descriptor); });
  guarding_.store(true, std::memory_order_release);
  const int limit = descriptor_limit();
  const auto taken = std::ranges::count_if(inherited_, [&](int each) { return each < limit; });
  if (limit - taken >= kLeastFree) return {};
  // Not by fmt: UBSan's check of its virtual functions opens a pipe.
  return base::Error{base::ErrorCode::kUnsupportedHost,
                     std::to_string(limit) + " files may be open and " + std::to_string(taken) +
                         " are, and the runtime needs " + std::to_string(kLeastFree) +
                         " more; raise the limit (ulimit -n)"};
}

void DescriptorTable::attach(std::uint64_t generation) {
  generation_ = static_cast<std::uint32_t>(generation);
  for (const int descriptor : inherited_) mark(descriptor);
}

bool DescriptorTable::usable(int descriptor) {
  if (descriptor < 0 || descriptor >= kDescriptorLimit) return false;
  if (descriptor < kStandardDescriptors) return true;
  const std::uint32_t entry = entries_[descriptor].load(std::memory_order_relaxed);
  if (is_own(descriptor)) return false;  // I3
  if (entry == generation_) return true;
  if (entry != 0 || descriptor >= runtime_base_ || !is_open(descriptor)) return false;
  if (!is_nobodys(descriptor)) return false;
  mark(descriptor);  // I1
  return true;
}

bool DescriptorTable::stale(int descriptor) const {
  const std::uint32_t entry = entries_[descriptor].load(std::memory_order_relaxed);
  return descriptor >= kStandardDescriptors && entry != 0 && entry != generation_;
}

void DescriptorTable::mark(int descriptor) {
  if (descriptor < kStandardDescriptors || descriptor >= kDescriptorLimit) return;
  entries_[descriptor].store(generation_, std::memory_order_relaxed);
}

int DescriptorTable::adopt(int descriptor) {
  if (descriptor < kStandardDescriptors) return descriptor;
  while (descriptor < kDescriptorLimit && stale(descriptor)) {
    int wanted = descriptor + 1;
    while (wanted < kDescriptorLimit && stale(wanted)) ++wanted;
    const int moved = move_to(descriptor, wanted);
    if (moved < 0) return adopt_in_place_of_oldest(descriptor);
    descriptor = moved;
  }
  if (descriptor >= kDescriptorLimit) {
    __real_close(descriptor);
    errno = EMFILE;
    return -1;
  }
  mark(descriptor);
  return descriptor;
}

int DescriptorTable::adopt_in_place_of_oldest(int descriptor) {
  int oldest = descriptor;
  const int limit = descriptor_limit();
  for (int number = kStandardDescriptors; number < limit; ++number) {
    if (stale(number) && entries_[number] < entries_[oldest] && !is_open(number)) oldest = number;
  }
  const int moved = oldest == descriptor ? -1 : copy_to(descriptor, oldest);
  // Either `oldest`, or it was taken just now.
  if (moved >= 0) __real_close(moved == oldest ? descriptor : moved);
  if (moved == oldest) descriptor = oldest;
  mark(descriptor);
  return descriptor;
}

void DescriptorTable::forget(int descriptor) {
  if (descriptor < kStandardDescriptors || descriptor >= kDescriptorLimit) return;
  entries_[descriptor].store(0, std::memory_order_relaxed);
}

int DescriptorTable::put_in_place(int from, int to, int flags) {
  if ((flags & ~O_CLOEXEC) != 0) return errno = EINVAL, -1;
  int made = -1;
  if (usable(to)) {
    made = __real_dup3(from, to, flags);
  } else if (to >= 0 && to < kDescriptorLimit) {
    const int command = (flags & O_CLOEXEC) != 0 ? F_DUPFD_CLOEXEC : F_DUPFD;
    made = __real_fcntl(from, command, to);
    if (made >= 0 && made != to) {  // it was not free
      __real_close(made);
      made = -1;
    }
    if (made < 0) errno = EBADF;
  } else {
    errno = EBADF;
  }
  if (made < 0) return made;
  // The caller has named the number: it is its own now, whoever may have held it before.
  forget(made);
  return adopt(made);
}

bool DescriptorTable::is_own(int descriptor) const {
  const auto note = static_cast<unsigned>(descriptor);
  return (own_[note / kNotesInWord].load() >> note % kNotesInWord & 1) != 0;
}

void DescriptorTable::set_own(int descriptor, bool own) {
  if (descriptor < kStandardDescriptors || descriptor >= kDescriptorLimit) return;
  const auto note = static_cast<unsigned>(descriptor);
  const std::uint64_t bit = std::uint64_t{1} << note % kNotesInWord;
  if (own) {
    own_[note / kNotesInWord].fetch_or(bit);
  } else {
    own_[note / kNotesInWord].fetch_and(~bit);
  }
}

// Of an open number without any mark: that the runtime is not about to note it.
bool DescriptorTable::is_nobodys(int descriptor) const {
  for (int naps = 0; naps < kMostNaps; ++naps) {
    if (changes_.load() == 0) return !is_own(descriptor);
    if (is_own(descriptor)) return false;
    __real_nanosleep(&kNap, nullptr);
  }
  return false;
}

int DescriptorTable::note_own(int descriptor) {
  if (!guarding_.load(std::memory_order_acquire) || descriptor < kStandardDescriptors) {
    return descriptor;
  }
  set_own(descriptor, true);
  if (descriptor >= runtime_base_) return descriptor;
  const int saved = errno;
  const int moved = move_own_up(descriptor);
  errno = saved;
  return moved;
}

// As high as it may lie now: the program may have lowered the limit.
int DescriptorTable::move_own_up(int descriptor) {
  const int end = std::min(runtime_base_ + kRuntimeDescriptors, descriptor_limit());
  for (int lowest = end - kRuntimeDescriptors;; lowest -= kRuntimeDescriptors) {
    const int moved = copy_to(descriptor, std::max(lowest, descriptor + 1));
    if (moved >= 0) {
      set_own(moved, true);
      set_own(descriptor, false);
      __real_close(descriptor);
      return moved;
    }
    if (lowest <= descriptor + 1) return descriptor;
  }
}

int DescriptorTable::close_own(int descriptor) {
  const Change change(changes_);
  set_own(descriptor, false);  // before its number can be another's
  return __real_close(descriptor);
}

}  // namespace revenant::runtime
