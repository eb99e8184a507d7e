#include "runtime/descriptor_table.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "base/standard_descriptors.h"
#include "runtime/real_calls_linux.h"

namespace revenant::runtime {
namespace {

constexpr int kStandardDescriptors = 3;
constexpr int kRuntimeDescriptors = 64;
// A descriptor table of the kernel's takes memory up to its highest number.
constexpr int kHighestBase = 65536;

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

// Gives `descriptor` the lowest free number from `lowest` on; -1 when there is none.
int move_to(int descriptor, int lowest) {
  const int flags = __real_fcntl(descriptor, F_GETFD);
  const int command = (flags & FD_CLOEXEC) != 0 ? F_DUPFD_CLOEXEC : F_DUPFD;
  const int moved = __real_fcntl(descriptor, command, lowest);
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
  if (entry == generation_) return true;
  if (entry != 0 || descriptor >= runtime_base_ || !is_open(descriptor)) return false;
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
  const int flags = __real_fcntl(descriptor, F_GETFD);
  if (oldest != descriptor &&
      __real_dup3(descriptor, oldest, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0) == oldest) {
    __real_close(descriptor);
    descriptor = oldest;
  }
  mark(descriptor);
  return descriptor;
}

void DescriptorTable::forget(int descriptor) {
  if (descriptor < kStandardDescriptors || descriptor >= kDescriptorLimit) return;
  entries_[descriptor].store(0, std::memory_order_relaxed);
}

bool DescriptorTable::replaceable(int descriptor) {
  if (descriptor < 0 || descriptor >= kDescriptorLimit) return false;
  return usable(descriptor) || !is_open(descriptor);  // I3
}

int DescriptorTable::move_up(int descriptor) const {
  if (!guarding_.load(std::memory_order_acquire) || descriptor < kStandardDescriptors ||
      descriptor >= runtime_base_) {
    return descriptor;
  }
  const int saved = errno;
  const int moved = move_to(descriptor, runtime_base_);
  errno = saved;
  return moved < 0 ? descriptor : moved;
}

}  // namespace revenant::runtime
