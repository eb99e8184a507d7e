#include "runtime/calls/raw_descriptors_linux.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// Those whose result is a new descriptor.
constexpr auto kReturnsDescriptor = std::to_array<long>({
    SYS_accept,
    SYS_accept4,
    SYS_creat,
    SYS_dup,
    SYS_epoll_create,
    SYS_epoll_create1,
    SYS_eventfd,
    SYS_eventfd2,
    SYS_fanotify_init,
    SYS_fsmount,
    SYS_fsopen,
    SYS_fspick,
    SYS_inotify_init,
    SYS_inotify_init1,
    SYS_io_uring_setup,
    SYS_landlock_create_ruleset,
    SYS_memfd_create,
    SYS_memfd_secret,
    SYS_mq_open,
    SYS_open,
    SYS_open_by_handle_at,
    SYS_open_tree,
    SYS_openat,
    SYS_openat2,
    SYS_perf_event_open,
    SYS_pidfd_getfd,
    SYS_pidfd_open,
    SYS_signalfd,
    SYS_signalfd4,
    SYS_socket,
    SYS_timerfd_create,
    SYS_userfaultfd,
});

}  // namespace

std::optional<long> raw_descriptor_call(long number, const long (&word)[6]) {
  const auto first = static_cast<int>(word[0]);
  const auto second = static_cast<int>(word[1]);
  const auto third = static_cast<int>(word[2]);
  switch (number) {
    // By their redirected names.
    case SYS_close:
      return ::close(first);
    case SYS_close_range:
      return ::close_range(static_cast<unsigned>(first), static_cast<unsigned>(second), third);
    case SYS_dup2:
      return ::dup2(first, second);
    case SYS_dup3:
      return ::dup3(first, second, third);
    case SYS_fcntl:
      return ::fcntl(first, second, word[2]);
    case SYS_pipe:
      return ::pipe(reinterpret_cast<int*>(word[0]));
    case SYS_pipe2:
      return ::pipe2(reinterpret_cast<int*>(word[0]), second);
    case SYS_socketpair:
      return ::socketpair(first, second, third, reinterpret_cast<int*>(word[3]));
    default:
      break;
  }
  if (std::ranges::find(kReturnsDescriptor, number) == kReturnsDescriptor.end()) return {};
  const long made = __real_syscall(number, word[0], word[1], word[2], word[3], word[4], word[5]);
  return DescriptorTable::instance().adopt(static_cast<int>(made));
}

}  // namespace revenant::runtime
