#include "vm/mprotect_tracker_linux.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/check.h"
#include "vm/memory_file_linux.h"
#include "vm/scratch_pages_linux.h"

namespace revenant::vm {
namespace {

constexpr base::PageCount kOnePage{1};
constexpr std::uint64_t kUsualMappingLimit = 65530;

std::uint64_t host_mapping_limit() {
  std::uint64_t limit = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> limit;
  return limit == 0 ? kUsualMappingLimit : limit;
}

// A page of a memory file that allows no access is filled, read, closed to writes and opened.
bool proves(int file, base::PageNumber page) {
  static constexpr char kWord[] = "told";
  if (kernel_writes_to(page)) return false;
  if (::pwrite(file, kWord, sizeof kWord, 0) != sizeof kWord) return false;
  if (::mprotect(page.pointer(), base::kPageSize, PROT_READ) != 0) return false;
  if (std::memcmp(page.pointer(), kWord, sizeof kWord) != 0 || kernel_writes_to(page)) return false;
  return ::mprotect(page.pointer(), base::kPageSize, PROT_READ | PROT_WRITE) == 0 &&
         kernel_writes_to(page);
}

}  // namespace

base::Status MprotectTracker::try_out() {
  const auto refused = [](const char* what, int error) {
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       fmt::format("{}: {}; allow memfd_create, mmap and mprotect in the seccomp "
                                   "profile",
                                   what, std::strerror(error))};
  };
  const int file = make_memory_file("revenant-trial");
  if (file < 0) return refused("a memory file is refused", errno);
  void* mapped = MAP_FAILED;
  if (::ftruncate(file, base::kPageSize) == 0) {
    mapped = ::mmap(nullptr, base::kPageSize, PROT_NONE, MAP_SHARED, file, 0);
  }
  if (mapped == MAP_FAILED) {
    const int error = errno;
    ::close(file);
    return refused("a memory file cannot be mapped", error);
  }
  const bool proved = proves(file, base::PageNumber::of(mapped));
  ::munmap(mapped, base::kPageSize);
  ::close(file);
  if (proved) return {};
  return base::Error{base::ErrorCode::kUnsupportedHost,
                     "mprotect on a memory file does not do what it promises on this host"};
}

base::Status MprotectTracker::attach() {
  if (budget_ == 0) budget_ = host_mapping_limit() / 2;
  mappings_ = 0;
  const base::LockGuard guard(lock_);
  REVENANT_TRY(written_.open());
  return present_.open();
}

void MprotectTracker::close() {
  const base::LockGuard guard(lock_);
  written_.close();
  present_.close();
}

Trap MprotectTracker::classify(const Access& access) const noexcept {
  if (access.signal != SIGSEGV || access.is_fetch()) return Trap::kForbidden;
  const base::LockGuard guard(lock_);
  if (!present_.test(access.page())) return Trap::kMissing;
  return access.is_write() ? Trap::kWrite : Trap::kSettled;
}

Filled MprotectTracker::fill(base::PageRun run, const std::byte* source, FillMode mode) noexcept {
  const PageAccess access = mode == FillMode::kDirty ? PageAccess::kWrite : PageAccess::kRead;
  Filled filled;
  const base::LockGuard guard(lock_);
  base::PageRun missing = present_.next_clear(run);
  while (missing.count.value != 0) {
    const std::byte* images = source + (missing.first - run.first).bytes();
    if (!space_.write(missing, images) || !set_access(missing, access)) {  // I2
      filled.refused = true;
      break;
    }
    filled.pages += missing.count.value;
    missing = present_.next_clear({missing.end(), run.end() - missing.end()});
  }
  filled.raced = filled.refused ? 0 : run.count.value - filled.pages;
  return filled;
}

void MprotectTracker::discard(base::PageRun run) noexcept {
  const base::LockGuard guard(lock_);
  // Closed before its content goes: a reader sees what it held, or asks.
  base::PageRun present = present_.next_set(run);
  while (present.count.value != 0) {
    // Pages that stay open read as zeros, which is what their ticket will say.
    if (!wants_whole_chunks() && !set_access(present, PageAccess::kNone)) {
      // Perhaps some of it is closed: open again, it joins what is beside (I3).
      REVENANT_CHECK(set_access(present, PageAccess::kWrite), "%zu pages at %p cannot be opened",
                     present.count.value, static_cast<void*>(present.first.pointer()));
    }
    present = present_.next_set({present.end(), run.end() - present.end()});
  }
  space_.discard(run);
}

PageBits MprotectTracker::evict(base::PageRun run) noexcept { return take_away(run, pool_); }

PageBits MprotectTracker::drop_sealed(base::PageRun run) noexcept {
  return take_away(run, nullptr);
}

PageBits MprotectTracker::take_away(base::PageRun run, const FramePool* to) noexcept {
  PageBits gone = 0;
  const base::LockGuard guard(lock_);
  base::PageRun present = present_.next_set(run);
  while (present.count.value != 0) {
    // Closed first: whoever touches a page of it now waits for lock_ in classify().
    if (set_access(present, PageAccess::kNone)) {
      if (to != nullptr) space_.read(present, to->place_of(present.first).pointer());
      space_.discard(present);
      gone |= all_of(present) << (present.first - run.first).value;
    }
    present = present_.next_set({present.end(), run.end() - present.end()});
  }
  return gone;
}

DirtyTracker::Restored MprotectTracker::restore(base::PageRun run, FillMode, Back) noexcept {
  const base::LockGuard guard(lock_);
  if (!space_.write(run, pool_->content_of(run.first))) return {};
  if (!set_access(run, PageAccess::kWrite)) {
    space_.discard(run);
    return {};
  }
  return {.came = all_of(run), .copied = all_of(run)};
}

bool MprotectTracker::deny_writes(base::PageRun run) noexcept {
  return set_access(run, PageAccess::kRead);
}

std::optional<base::PageRun> MprotectTracker::allow_writes(base::PageNumber page) noexcept {
  const base::PageRun nothing{page, {0}};
  if (!present_.test(page)) return nothing;  // discarded meanwhile
  const base::PageRun window = space_.window_of(page);
  base::PageRun opened{page, kOnePage};
  if (mappings() > budget_) {
    opened = present_.set_around(page, window);
  } else if (wants_whole_chunks()) {
    opened = present_.set_around(page, space_.pages_of({space_.chunk_of(page), 1}));
  }
  if (set_access(opened, PageAccess::kWrite)) return opened;
  opened = present_.set_around(page, window);  // after a refusal that was carried out in part
  if (set_access(opened, PageAccess::kWrite)) return opened;
  return std::nullopt;
}

bool MprotectTracker::set_access(base::PageRun run, PageAccess access) noexcept {
  const std::uint64_t before = borders(run);
  if (!space_.set_access(run, access)) return false;
  if (access == PageAccess::kNone) {
    present_.clear(run);
  } else {
    present_.set(run);
  }
  if (access == PageAccess::kWrite) {
    written_.set(run);
  } else {
    written_.clear(run);
  }
  mappings_.fetch_add(borders(run) - before, std::memory_order_relaxed);  // I1
  return true;
}

std::uint64_t MprotectTracker::borders(base::PageRun run) const noexcept {
  const base::PageRun window = space_.window_of(run.first);
  std::uint64_t count = 0;
  PageAccess before =
      run.first == window.first ? PageAccess::kNone : access_of(run.first - kOnePage);
  for (base::PageNumber page = run.first; page <= run.end() && page < window.end(); ++page) {
    const PageAccess access = access_of(page);
    count += access != before ? 1 : 0;
    before = access;
  }
  return count;
}

PageAccess MprotectTracker::access_of(base::PageNumber page) const noexcept {
  if (!present_.test(page)) return PageAccess::kNone;
  return written_.test(page) ? PageAccess::kWrite : PageAccess::kRead;
}

}  // namespace revenant::vm
