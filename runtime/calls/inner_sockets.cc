// libc's inner names for sockets: what its resolver calls. As for files, nothing here parks the
// green thread: a look-up blocks the worker while it lasts.
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "runtime/calls/bounce.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/socket_calls.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

int with_address(long number, int socket, const sockaddr* address, socklen_t size) {
  const Bounce bounced = Bounce::in(address, size);
  if (!caller_may_use(socket) || !bounced.ok()) return kRefused;
  return static_cast<int>(__real_syscall(number, socket, bounced.data(), size));
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap___socket(int family, int type, int protocol) {
  const auto made = static_cast<int>(__real_syscall(SYS_socket, family, type, protocol));
  return green_caller() == nullptr ? made : DescriptorTable::instance().adopt(made);
}

int __wrap___connect(int socket, const sockaddr* address, socklen_t size) {
  return with_address(SYS_connect, socket, address, size);
}

int __wrap___bind(int socket, const sockaddr* address, socklen_t size) {
  return with_address(SYS_bind, socket, address, size);
}

int __wrap___getsockname(int socket, sockaddr* address, socklen_t* size) {
  const Bounce filled = Bounce::out(address, *size);
  const Bounce filled_size = Bounce::in_out(size, sizeof *size);
  if (!caller_may_use(socket) || !filled.ok() || !filled_size.ok()) return kRefused;
  const long result = __real_syscall(SYS_getsockname, socket, filled.data(), filled_size.data());
  if (result == 0) {
    filled.deliver();
    filled_size.deliver();
  }
  return static_cast<int>(result);
}

int __wrap___setsockopt(int socket, int level, int name, const void* value, socklen_t size) {
  const Bounce bounced = Bounce::in(value, size);
  if (!caller_may_use(socket) || !bounced.ok()) return kRefused;
  return static_cast<int>(
      __real_syscall(SYS_setsockopt, socket, level, name, bounced.data(), size));
}

ssize_t __wrap___send(int socket, const void* data, std::size_t size, int flags) {
  return caller_may_use(socket) ? send_once(socket, data, size, flags, nullptr, 0) : kRefused;
}

ssize_t __wrap___sendto(int socket, const void* data, std::size_t size, int flags,
                        const sockaddr* address, socklen_t address_size) {
  return caller_may_use(socket) ? send_once(socket, data, size, flags, address, address_size)
                                : kRefused;
}

// One message at a time, as it also does when the socket takes no more.
int __wrap___sendmmsg(int socket, mmsghdr* messages, unsigned count, int flags) {
  if (!caller_may_use(socket) || count == 0) return caller_may_use(socket) ? 0 : kRefused;
  const ssize_t sent = send_message(socket, &messages->msg_hdr, flags);
  if (sent < 0) return kRefused;
  messages->msg_len = static_cast<unsigned>(sent);
  return 1;
}

ssize_t __wrap___recvfrom(int socket, void* data, std::size_t size, int flags, sockaddr* address,
                          socklen_t* address_size) {
  return caller_may_use(socket) ? receive_once(socket, data, size, flags, address, address_size)
                                : kRefused;
}

ssize_t __wrap___recvmsg(int socket, msghdr* message, int flags) {
  if (green_caller() == nullptr) return __real_syscall(SYS_recvmsg, socket, message, flags);
  return check_descriptor(socket) ? receive_message(socket, message, flags) : kRefused;
}

int __wrap___poll(pollfd* polled, nfds_t count, int timeout_ms) {
  const Bounce bounced = Bounce::in_out(polled, count * sizeof *polled);
  if (!bounced.ok()) return kRefused;
  const long ready = __real_syscall(SYS_poll, bounced.data(), count, timeout_ms);
  if (ready >= 0) bounced.deliver();
  return static_cast<int>(ready);
}

}  // extern "C"
