// Calls of green threads about descriptors themselves: made, copied, closed, asked about.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>

#include "runtime/calls/blocking.h"
#include "runtime/calls/bounce.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/offloaded_call.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

DescriptorTable& table() { return DescriptorTable::instance(); }

int green_close(int descriptor) {
  const bool usable = check_descriptor(descriptor);
  if (usable) {
    const int result = __real_close(descriptor);
    table().forget(descriptor);
    return result;
  }
  table().forget(descriptor);
  return kRefused;
}

// As if each number were closed, or marked, by itself: the runtime's own lie among them.
int green_close_range(unsigned first, unsigned last, int flags) {
  // A worker's own copy of all descriptors (CLOSE_RANGE_UNSHARE) would part it from the runtime.
  if (first > last || (flags & ~static_cast<int>(CLOSE_RANGE_CLOEXEC)) != 0) {
    return errno = EINVAL, kRefused;
  }
  const int saved = errno;
  last = std::min<unsigned>(last, kDescriptorLimit - 1);
  for (unsigned number = first; number <= last; ++number) {
    const int descriptor = static_cast<int>(number);
    if (flags == 0) {
      green_close(descriptor);
    } else if (table().usable(descriptor)) {
      const int before = __real_fcntl(descriptor, F_GETFD);
      if (before >= 0) __real_fcntl(descriptor, F_SETFD, before | FD_CLOEXEC);
    }
  }
  return errno = saved, 0;
}

// Adopts both, or neither.
int adopt_pair(const int made[2], int pair[2]) {
  const int first = table().adopt(made[0]);
  const int second = table().adopt(made[1]);
  if (first < 0 || second < 0) {
    if (first >= 0) green_close(first);
    if (second >= 0) green_close(second);
    return errno = EMFILE, kRefused;
  }
  pair[0] = first;
  pair[1] = second;
  return 0;
}

int green_dup_to(int from, int to, int flags) {
  if (!check_descriptor(from)) return kRefused;
  return from == to ? to : table().put_in_place(from, to, flags);
}

// A call that may wait, about a descriptor and nothing in memory, is made elsewhere.
int offload_about(int descriptor, long number, long argument) {
  for (;;) {
    if (!check_descriptor(descriptor)) return kRefused;
    OffloadedCall call;
    if (call.make(number, descriptor, argument)) return static_cast<int>(call.result());
  }
}

// fcntl's commands whose argument is a struct flock, and the one that waits.
bool takes_lock(int command) {
  return command == F_SETLK || command == F_GETLK || command == F_SETLKW ||
         command == F_OFD_SETLK || command == F_OFD_GETLK || command == F_OFD_SETLKW;
}

int wait_for_lock(int descriptor, int command, const struct flock& wanted) {
  for (;;) {
    if (!check_descriptor(descriptor)) return kRefused;
    OffloadedCall call(sizeof wanted);
    if (call.data() != nullptr) __builtin_memcpy(call.data(), &wanted, sizeof wanted);
    if (call.make(SYS_fcntl, descriptor, command, call.data())) {
      return static_cast<int>(call.result());
    }
  }
}

int green_fcntl(int descriptor, int command, void* argument) {
  if (!check_descriptor(descriptor)) return kRefused;
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
    return table().adopt(__real_fcntl(descriptor, command, argument));
  }
  if (!takes_lock(command)) return __real_fcntl(descriptor, command, argument);
  if (command == F_SETLKW || command == F_OFD_SETLKW) {
    return wait_for_lock(descriptor, command, *static_cast<const struct flock*>(argument));
  }
  const Bounce bounced = Bounce::in_out(argument, sizeof(struct flock));
  if (!bounced.ok()) return kRefused;
  const int result = __real_fcntl(descriptor, command, bounced.data());
  if (result == 0) bounced.deliver();
  return result;
}

// How much an ioctl may read or write at its argument. Old commands do not say.
std::size_t argument_bytes(unsigned long request) {
  constexpr std::size_t kKernelTermiosBytes = 36;
  if (_IOC_SIZE(request) != 0) return _IOC_SIZE(request);
  if (request >= TCGETS && request <= TCSETSF) return kKernelTermiosBytes;
  if (request == TIOCGWINSZ || request == TIOCSWINSZ) return sizeof(winsize);
  return _IOC_TYPE(request) == _IOC_TYPE(SIOCGIFCONF) ? sizeof(ifreq) : sizeof(int);
}

int green_ioctl(int descriptor, unsigned long request, void* argument) {
  if (!check_descriptor(descriptor)) return kRefused;
  if (!is_persistent(argument)) return __real_ioctl(descriptor, request, argument);
  const Bounce bounced = Bounce::in_out(argument, argument_bytes(request));
  if (!bounced.ok()) return kRefused;
  const int result = __real_ioctl(descriptor, request, bounced.data());
  if (result >= 0) bounced.deliver();
  return result;
}

// The vm room's own requests come from wherever memory is filled, green threads' stacks included.
bool is_vms(unsigned long request) { return _IOC_TYPE(request) == UFFDIO; }

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_close(int descriptor) {
  return green_caller() == nullptr ? table().close_own(descriptor) : green_close(descriptor);
}

int __wrap_close_range(unsigned first, unsigned last, int flags) {
  return green_caller() == nullptr ? __real_close_range(first, last, flags)
                                   : green_close_range(first, last, flags);
}

void __wrap_closefrom(int lowest) {
  if (green_caller() == nullptr) return __real_closefrom(lowest);
  green_close_range(static_cast<unsigned>(std::max(lowest, 0)), ~0U, 0);
}

int __wrap_dup(int descriptor) {
  if (green_caller() == nullptr) return __real_dup(descriptor);
  return check_descriptor(descriptor) ? table().adopt(__real_dup(descriptor)) : kRefused;
}

int __wrap_dup2(int from, int to) {
  return green_caller() == nullptr ? __real_dup2(from, to) : green_dup_to(from, to, 0);
}

int __wrap_dup3(int from, int to, int flags) {
  if (green_caller() == nullptr) return __real_dup3(from, to, flags);
  if (from == to) return errno = EINVAL, kRefused;
  return green_dup_to(from, to, flags);
}

int __wrap_pipe2(int pair[2], int flags) {
  if (green_caller() == nullptr) return __real_pipe2(pair, flags);
  const Bounce made = Bounce::out(pair, 2 * sizeof *pair);
  if (!made.ok() || __real_pipe2(made.as<int>(), flags) != 0) return kRefused;
  return adopt_pair(made.as<int>(), pair);
}

int __wrap_pipe(int pair[2]) {
  return green_caller() == nullptr ? __real_pipe(pair) : __wrap_pipe2(pair, 0);
}

int __wrap_fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (green_caller() == nullptr) return __real_fcntl(descriptor, command, argument);
  return green_fcntl(descriptor, command, argument);
}

int __wrap_fcntl64(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return __wrap_fcntl(descriptor, command, argument);
}

int __wrap_ioctl(int descriptor, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (is_vms(request) || green_caller() == nullptr) {
    return __real_ioctl(descriptor, request, argument);
  }
  return green_ioctl(descriptor, request, argument);
}

off_t __wrap_lseek(int descriptor, off_t offset, int whence) {
  if (green_caller() != nullptr && !check_descriptor(descriptor)) return kRefused;
  return __real_lseek(descriptor, offset, whence);
}

off_t __wrap_lseek64(int descriptor, off_t offset, int whence) {
  return __wrap_lseek(descriptor, offset, whence);
}

int __wrap_ftruncate(int descriptor, off_t size) {
  if (green_caller() != nullptr && !check_descriptor(descriptor)) return kRefused;
  return __real_ftruncate(descriptor, size);
}

int __wrap_ftruncate64(int descriptor, off_t size) { return __wrap_ftruncate(descriptor, size); }

int __wrap_fchmod(int descriptor, mode_t mode) {
  if (green_caller() != nullptr && !check_descriptor(descriptor)) return kRefused;
  return __real_fchmod(descriptor, mode);
}

int __wrap_fsync(int descriptor) {
  return green_caller() == nullptr ? __real_fsync(descriptor)
                                   : offload_about(descriptor, SYS_fsync, 0);
}

int __wrap_fdatasync(int descriptor) {
  return green_caller() == nullptr ? __real_fdatasync(descriptor)
                                   : offload_about(descriptor, SYS_fdatasync, 0);
}

int __wrap_flock(int descriptor, int operation) {
  return green_caller() == nullptr ? __real_flock(descriptor, operation)
                                   : offload_about(descriptor, SYS_flock, operation);
}

ssize_t __wrap_sendfile(int to, int from, off_t* offset, std::size_t size) {
  if (green_caller() == nullptr) return __real_sendfile(to, from, offset, size);
  if (!check_descriptor(from) || !wait_until_ready(to, POLLOUT)) return kRefused;
  const Bounce bounced = Bounce::in_out(offset, sizeof *offset);
  if (!bounced.ok()) return kRefused;
  const ssize_t sent = __real_sendfile(to, from, bounced.as<off_t>(), size);
  if (sent >= 0 && offset != nullptr) bounced.deliver();
  return sent;
}

}  // extern "C"
