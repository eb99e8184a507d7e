#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "revenant/memory.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"
#include "runtime/mapped_files.h"

namespace revenant::runtime {
namespace {

using Bytes = std::span<const std::byte>;

// Where a mapping may begin; the first one keeps away from the heap's end.
constexpr std::uint64_t kAlignmentPages = 16;

FileStamp stamp_of(const struct stat& found) {
  return {.bytes = static_cast<std::uint64_t>(found.st_size),
          .modified_ns = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec};
}

base::PageNumber end_of(const MappedFile* newest) {
  return newest == nullptr ? vm::kMappedFilesRun.first : newest->pages.end();
}

base::Error cannot_map(const std::string& path, const std::string& why) {
  return {base::ErrorCode::kIoFailed, fmt::format("cannot map {}: {}", path, why)};
}

// The system calls themselves: libc's functions are redirected, by their inner names too, and a
// sanitizer's would clear the shadow of gigabytes.
bool look_at(const std::string& path, struct stat& found) {
  return __real_syscall(SYS_newfstatat, AT_FDCWD, path.c_str(), &found, 0) == 0;
}
bool look_at(int descriptor, struct stat& found) {
  return __real_syscall(SYS_fstat, descriptor, &found) == 0;
}
const std::byte* map_whole(int descriptor, std::uint64_t bytes) {
  const long mapped = __real_syscall(SYS_mmap, nullptr, bytes, PROT_READ,
                                     MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
  return mapped == -1 ? nullptr : reinterpret_cast<const std::byte*>(mapped);
}

}  // namespace

base::Status MappedFiles::open() {
  REVENANT_TRY(
      table_.reserve(kMostViews * sizeof(std::atomic<View*>), "the table of mapped files"));
  views_ = reinterpret_cast<std::atomic<View*>*>(table_.begin());
  memory_.set_host_files(*this);
  REVENANT_ASSIGN(owner_, memory_.add_kept_segment("mapped files", vm::kMappedFilesRun,
                                                   vm::SegmentAccess::kReadOnly));
  return {};
}

void MappedFiles::attach(const MappedFile* newest) {
  for (const MappedFile* each = newest; each != nullptr; each = each->next) {
    enter(*new View{.path = std::string(each->path()), .pages = each->pages, .stamp = each->stamp});
  }
}

void MappedFiles::enter(View& view) {
  const std::uint64_t number = count_++;
  view.next = std::exchange(newest_, &view);
  views_[number].store(&view, std::memory_order_release);
  memory_.tickets().set(owner_, view.pages,
                        vm::Ticket::host_file(view.pages.first, number << kPageBits),
                        vm::TicketTable::keep_nothing);
}

base::Result<Bytes> MappedFiles::map(const std::filesystem::path& path) {
  std::error_code failed;
  const std::string name = std::filesystem::canonical(path, failed).string();
  if (failed) return cannot_map(path.string(), failed.message() + "; check the path");
  View* view = nullptr;
  {
    const volatile_scope scope;
    REVENANT_ASSIGN(view, open_view(name));
  }
  if (view->stamp.bytes == 0) return drop(view), Bytes{};
  const base::LockGuard guard(Machine::instance().scheduler().lock());
  base::PageRun pages{};
  if (const MappedFile* same = find_same(*view)) {
    pages = same->pages;
  } else {
    base::Status placed = place(*view);
    if (!placed.ok()) return drop(view), std::move(placed).error();
    return Bytes(view->pages.first.pointer(), view->stamp.bytes);
  }
  const Bytes known(pages.first.pointer(), view->stamp.bytes);
  return drop(view), known;
}

base::Result<MappedFiles::View*> MappedFiles::open_view(const std::string& path) {
  // The kernel reads a path from volatile memory only.
  auto view = std::make_unique<View>();
  view->path = path;
  struct stat found {};
  if (!look_at(view->path, found)) {
    return cannot_map(path, std::string(std::strerror(errno)) + "; check the path");
  }
  if (!S_ISREG(found.st_mode)) return cannot_map(path, "it is no regular file; name one");
  view->stamp = stamp_of(found);
  view->pages.count = base::PageCount::holding(view->stamp.bytes);
  if (view->stamp.bytes == 0) return view.release();
  const std::byte* mapped = map_here(*view);
  if (mapped == nullptr) {
    return cannot_map(path, std::string(std::strerror(errno)) + "; check its permissions");
  }
  view->mapped.store(mapped, std::memory_order_release);
  return view.release();
}

void MappedFiles::drop(View* view) {
  const std::byte* mapped = view->mapped.load(std::memory_order_relaxed);
  if (mapped != nullptr) __real_syscall(SYS_munmap, mapped, view->stamp.bytes);
  delete view;
}

const std::byte* MappedFiles::map_here(const View& view) noexcept {
  const int descriptor = DescriptorTable::instance().make_own(
      [&] { return __real_openat(AT_FDCWD, view.path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (descriptor < 0) return nullptr;
  struct stat found {};
  const std::byte* mapped = nullptr;
  if (look_at(descriptor, found)) {
    if (stamp_of(found) == view.stamp) {
      mapped = map_whole(descriptor, view.stamp.bytes);
    } else {
      errno = ESTALE;
    }
  }
  const int error = errno;
  DescriptorTable::instance().close_own(descriptor);
  errno = error;
  return mapped;
}

const MappedFile* MappedFiles::find_same(const View& view) {
  for (const MappedFile* each = RuntimeState::at_home().files; each != nullptr; each = each->next) {
    if (each->stamp == view.stamp && each->path() == view.path) return each;
  }
  return nullptr;
}

base::Status MappedFiles::place(View& view) {
  RuntimeState& state = RuntimeState::at_home();
  const std::uint64_t used = (end_of(state.files) - vm::kMappedFilesRun.first).value;
  const std::uint64_t begin = (used / kAlignmentPages + 1) * kAlignmentPages;  // I3
  if (begin + view.pages.count.value >= vm::kMappedFilesRun.count.value) {
    return base::Error{
        base::ErrorCode::kNoSpace,
        fmt::format("cannot map {}: of {} MiB of addresses for files {} are taken, "
                    "and it needs {}; map less of them, or smaller ones",
                    view.path, vm::kMappedFilesRun.count.bytes() / vm::kMiB,
                    base::PageCount{used}.bytes() / vm::kMiB, view.stamp.bytes / vm::kMiB + 1)};
  }
  void* memory = Machine::instance().heap().allocate(sizeof(MappedFile) + view.path.size());
  if (memory == nullptr) throw std::bad_alloc();
  view.pages.first = vm::kMappedFilesRun.first + base::PageCount{begin};
  auto* added = new (memory) MappedFile{.next = state.files,
                                        .pages = view.pages,
                                        .stamp = view.stamp,
                                        .path_bytes = view.path.size()};
  std::memcpy(added + 1, view.path.data(), view.path.size());
  state.files = added;
  enter(view);
  return {};
}

const std::byte* MappedFiles::find(std::uint64_t first, base::PageCount count) noexcept {
  View& view = view_of(first);
  struct stat found {};
  if (!look_at(view.path, found) || stamp_of(found) != view.stamp) {
    return nullptr;  // I2
  }
  const std::byte* mapped = view.mapped.load(std::memory_order_acquire);
  if (mapped == nullptr) {
    const std::byte* made = map_here(view);
    if (made == nullptr) return nullptr;
    if (view.mapped.compare_exchange_strong(mapped, made, std::memory_order_acq_rel)) {
      mapped = made;
    } else {  // another thread was first
      __real_syscall(SYS_munmap, made, view.stamp.bytes);
    }
  }
  const base::PageCount page{first & ((std::uint64_t{1} << kPageBits) - 1)};
  // From the disk now, and not under the lock that the pages come in under. Only a hint: what goes
  // wrong is found when they are copied.
  __real_syscall(SYS_madvise, mapped + page.bytes(), count.bytes(), MADV_POPULATE_READ);
  return mapped + page.bytes();
}

void MappedFiles::describe_loss(std::uintptr_t address, ReportText& text) const {
  const auto page = base::PageNumber::of(address);
  const View& view = view_of(memory_.ticket_of(page).reference_of(page));
  text.add("the file %s, which ", view.path.c_str());
  struct stat found {};
  if (!look_at(view.path, found)) {
    text.add(errno == ENOENT ? "is gone" : "cannot be read (%s)", std::strerror(errno));
  } else if (const FileStamp now = stamp_of(found); now.bytes != view.stamp.bytes) {
    text.add("has %" PRIu64 " bytes and had %" PRIu64 " when it was mapped", now.bytes,
             view.stamp.bytes);
  } else if (now != view.stamp) {
    text.add("was modified since it was mapped");
  } else {
    text.add("cannot be mapped (%s)", map_here(view) == nullptr ? std::strerror(errno) : "");
  }
  text.add(
      "; put it back as it was, modification time included, or map it again in a function of "
      "on_restart and read that view\n");
}

}  // namespace revenant::runtime
