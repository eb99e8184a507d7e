#include "vm/uffd_linux.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "vm/uffd_abi_linux.h"

namespace revenant::vm {
namespace {

constexpr std::uint64_t kSyncFeatures = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_SIGBUS;
constexpr std::uint64_t kAsyncFeatures =
    kSyncFeatures | UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_WP_ASYNC;

base::Error host_error(std::string sentence) {
  return {base::ErrorCode::kUnsupportedHost, std::move(sentence)};
}

base::Error refused(const char* call, int error) {
  return host_error(fmt::format("{} failed: {}", call, std::strerror(error)));
}

}  // namespace

base::Status Uffd::open(Writes writes) {
  REVENANT_TRY(open_descriptor());
  const bool async = writes == Writes::kAsync;
  uffdio_api api{.api = UFFD_API, .features = async ? kAsyncFeatures : kSyncFeatures, .ioctls = 0};
  if (::ioctl(descriptor_, UFFDIO_API, &api) == 0) {
    moving_ = (api.features & UFFD_FEATURE_MOVE) != 0;
    return {};
  }
  const int error = errno;
  close();
  if (error != EINVAL) return refused("UFFDIO_API", error);
  return host_error(
      async ? "this kernel's userfaultfd has no asynchronous write protection; Linux 6.7 or later "
              "has it"
            : "this kernel's userfaultfd has no write protection; Linux 5.7 or later has it");
}

base::Status Uffd::open_descriptor() {
  close();
  // Whoever may have the unrestricted form does; an unprivileged user may have only the other.
  for (const bool user_mode_only : {false, true}) {
    const int flags = O_CLOEXEC | O_NONBLOCK | (user_mode_only ? UFFD_USER_MODE_ONLY : 0);
    descriptor_ = static_cast<int>(::syscall(SYS_userfaultfd, flags));
    user_mode_only_ = user_mode_only;
    if (descriptor_ >= 0) return {};
  }
  if (errno == ENOSYS) return host_error("this kernel is built without userfaultfd");
  return host_error(
      fmt::format("userfaultfd is refused ({}): in a container, allow it in the seccomp profile",
                  std::strerror(errno)));
}

void Uffd::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

base::Status Uffd::register_run(base::PageRun run) {
  uffdio_register request{};
  request.range = {run.first.address(), run.count.bytes()};
  request.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP;
  if (::ioctl(descriptor_, UFFDIO_REGISTER, &request) == 0) return {};
  return refused("UFFDIO_REGISTER", errno);
}

Filled Uffd::fill(base::PageRun run, const std::byte* source, FillMode mode) noexcept {
  const int saved = errno;
  Filled result;
  base::PageCount done;
  while (done < run.count) {
    uffdio_copy request{};
    request.dst = (run.first + done).address();
    request.src = reinterpret_cast<std::uintptr_t>(source + done.bytes());
    request.len = run.count.bytes() - done.bytes();
    request.mode = mode == FillMode::kDirty ? 0 : UFFDIO_COPY_MODE_WP;
    const int failed = ::ioctl(descriptor_, UFFDIO_COPY, &request);
    if (request.copy > 0) {  // all of it, or as far as the first page it could not fill
      const auto pages = base::PageCount::holding(static_cast<std::uint64_t>(request.copy));
      done += pages;
      result.pages += pages.value;
    } else if (failed != 0 && errno == EEXIST) {
      done += base::PageCount{1};
      ++result.raced;
    } else if (failed != 0 && errno != EAGAIN) {
      result.refused = true;
      break;
    }
  }
  errno = saved;
  return result;
}

PageBits Uffd::move(base::PageRun run, base::PageNumber target) noexcept {
  if (!moving_) return 0;
  const int saved = errno;
  PageBits moved = 0;
  base::PageCount done;
  while (done < run.count) {
    uffdio_move request{};
    request.dst = (target + done).address();
    request.src = (run.first + done).address();
    request.len = run.count.bytes() - done.bytes();
    const int failed = ::ioctl(descriptor_, UFFDIO_MOVE, &request);
    if (request.move > 0) {  // all of it, or as far as the first page it would not move
      const auto pages = base::PageCount::holding(static_cast<std::uint64_t>(request.move));
      for (std::uint64_t i = 0; i < pages.value; ++i) moved |= PageBits{1} << (done.value + i);
      done += pages;
    } else if (failed != 0 && errno != EAGAIN) {
      done += base::PageCount{1};
    }
  }
  errno = saved;
  return moved;
}

PageBits Uffd::copy_and_drop(const Space& space, base::PageRun run, base::PageNumber place,
                             PageBits pages) noexcept {
  PageBits gone = 0;
  for_runs(run, pages, [&](base::PageRun part) {
    for (base::PageNumber page = part.first; page < part.end(); ++page) {
      const base::PageNumber there = place + (page - run.first);
      if (fill({there, {1}}, page.pointer(), FillMode::kDirty).pages != 1) continue;
      space.discard({page, {1}});
      gone |= bit_of(run, page);
    }
  });
  return gone;
}

PageBits Uffd::copy_back(const FramePool& pool, base::PageRun run, PageBits pages,
                         FillMode mode) noexcept {
  PageBits back = 0;
  for_runs(run, pages, [&](base::PageRun part) {
    const Filled filled = fill(part, pool.content_of(part.first), mode);
    const base::PageRun there{part.first, {filled.pages + filled.raced}};
    back |= all_of(there) << (part.first - run.first).value;
  });
  return back;
}

int Uffd::write_protect(base::PageRun run) noexcept {
  return set_protection(run, UFFDIO_WRITEPROTECT_MODE_WP);
}

int Uffd::allow_writes(base::PageRun run) noexcept { return set_protection(run, 0); }

int Uffd::set_protection(base::PageRun run, std::uint64_t mode) noexcept {
  const int saved = errno;
  uffdio_writeprotect request{};
  request.range = {run.first.address(), run.count.bytes()};
  request.mode = mode;
  int error = EAGAIN;
  while (error == EAGAIN) {
    error = ::ioctl(descriptor_, UFFDIO_WRITEPROTECT, &request) == 0 ? 0 : errno;
  }
  errno = saved;
  return error;
}

}  // namespace revenant::vm
