// Sockets of green threads: addresses, options and messages are bounced; what would block parks the
// green thread until the socket is ready.
#include <limits.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "runtime/calls/blocking.h"
#include "runtime/calls/bounce.h"
#include "runtime/calls/clocks.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/offloaded_call.h"
#include "runtime/calls/socket_calls.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// A call with an address that the kernel fills in: `call(address, size)`.
template <class Call>
int with_address_out(sockaddr* address, socklen_t* size, Call call) {
  const socklen_t room = address == nullptr || size == nullptr ? 0 : *size;
  const Bounce filled = Bounce::out(address, room);
  const Bounce filled_size = Bounce::in_out(size, sizeof *size);
  if (!filled.ok() || !filled_size.ok()) return kRefused;
  const int result = call(filled.as<sockaddr>(), filled_size.as<socklen_t>());
  if (result < 0 || size == nullptr) return result;
  filled_size.deliver();
  filled.deliver(std::min(room, *size));
  return result;
}

int green_accept(int socket, sockaddr* address, socklen_t* size, int flags) {
  if (!wait_until_ready(socket, POLLIN)) return kRefused;
  const int accepted =
      with_address_out(address, size, [&](sockaddr* filled, socklen_t* filled_size) {
        return __real_accept4(socket, filled, filled_size, flags);
      });
  return DescriptorTable::instance().adopt(accepted);
}

int green_connect(int socket, const sockaddr* address, socklen_t size) {
  for (;;) {
    if (!check_descriptor(socket)) return kRefused;
    OffloadedCall call(size);
    if (call.data() != nullptr) std::memcpy(call.data(), address, size);
    if (call.make(SYS_connect, socket, call.data(), static_cast<long>(size))) {
      return static_cast<int>(call.result());
    }
  }
}

bool may_wait(int flags) { return (flags & MSG_DONTWAIT) == 0; }

// Waits as a blocking call would; false with errno set when it must not be made.
bool ready_for(int socket, short events, int flags) {
  return may_wait(flags) ? wait_until_ready(socket, events) : check_descriptor(socket);
}

}  // namespace

ssize_t receive_once(int socket, void* data, std::size_t size, int flags, sockaddr* address,
                     socklen_t* address_size) {
  const Bounce bounced = Bounce::out(data, size);
  if (!bounced.ok()) return kRefused;
  ssize_t got = kRefused;
  with_address_out(address, address_size, [&](sockaddr* filled, socklen_t* filled_size) {
    got = __real_recvfrom(socket, bounced.data(), size, flags, filled, filled_size);
    return got < 0 ? kRefused : 0;
  });
  if (got > 0) bounced.deliver(static_cast<std::size_t>(got));
  return got;
}

ssize_t send_once(int socket, const void* data, std::size_t size, int flags,
                  const sockaddr* address, socklen_t address_size) {
  const Bounce bounced = Bounce::in(data, size);
  const Bounce target = Bounce::in(address, address_size);
  if (!bounced.ok() || !target.ok()) return kRefused;
  return __real_sendto(socket, bounced.data(), size, flags, target.as<sockaddr>(), address_size);
}

namespace {

// Asked for outside of green threads' stacks, whose pages may be missing; not inlined, so that no
// address of a thread-local is kept over a switch.
__attribute__((noinline)) bool is_stream(int socket) {
  thread_local int type;
  thread_local socklen_t size;
  size = sizeof type;
  return __real_getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

// Whether no more will come than is there.
__attribute__((noinline)) bool has_ended(int socket) {
  thread_local pollfd polled;
  polled = {socket, POLLRDHUP, 0};
  return __real_poll(&polled, 1, 0) != 0;
}

// MSG_PEEK with MSG_WAITALL: what is there is seen again by each look, and nothing announces that
// there is more.
ssize_t peek_all(int socket, void* data, std::size_t size, int flags, sockaddr* address,
                 socklen_t* address_size) {
  const Deadline deadline = receive_deadline(socket);
  for (;;) {
    if (!wait_until_ready(socket, POLLIN)) return kRefused;
    const bool last = has_ended(socket) || is_over(deadline);  // before the look
    const ssize_t got = receive_once(socket, data, size, flags, address, address_size);
    if (last || got <= 0 || static_cast<std::size_t>(got) >= size) return got;
    nap();
  }
}

// As recv does: with MSG_WAITALL until all is there, the end, or an error.
ssize_t green_recvfrom(int socket, void* data, std::size_t size, int flags, sockaddr* address,
                       socklen_t* address_size) {
  if (!check_descriptor(socket)) return kRefused;
  const bool all =
      (flags & MSG_WAITALL) != 0 && may_wait(flags) && is_stream(socket) && !never_blocks(socket);
  if (all && (flags & MSG_PEEK) != 0) {
    return peek_all(socket, data, size, flags & ~MSG_WAITALL, address, address_size);
  }
  auto* bytes = static_cast<std::byte*>(data);
  std::size_t done = 0;
  for (;;) {
    if (!ready_for(socket, POLLIN, flags)) break;
    const ssize_t got = receive_once(socket, bytes + done, size - done, flags & ~MSG_WAITALL,
                                     address, address_size);
    if (!all) return got;
    if (got < 0) break;
    done += static_cast<std::size_t>(got);
    if (got == 0 || done == size) return static_cast<ssize_t>(done);
  }
  return done != 0 ? static_cast<ssize_t>(done) : kRefused;
}

// Sends what the socket takes without blocking, waits, and goes on.
ssize_t green_sendto(int socket, const void* data, std::size_t size, int flags,
                     const sockaddr* address, socklen_t address_size) {
  if (!check_descriptor(socket)) return kRefused;
  if (!may_wait(flags) || never_blocks(socket)) {
    return send_once(socket, data, size, flags, address, address_size);
  }
  const auto* bytes = static_cast<const std::byte*>(data);
  std::size_t done = 0;
  do {
    if (!wait_until_ready(socket, POLLOUT))
      return done != 0 ? static_cast<ssize_t>(done) : kRefused;
    const ssize_t sent =
        send_once(socket, bytes + done, size - done, flags | MSG_DONTWAIT, address, address_size);
    if (sent >= 0) {
      done += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN) {
      nap();
    } else {
      return done != 0 ? static_cast<ssize_t>(done) : kRefused;
    }
  } while (done < size);
  return static_cast<ssize_t>(done);
}

ssize_t green_recvmsg(int socket, msghdr* message, int flags) {
  return ready_for(socket, POLLIN, flags) ? receive_message(socket, message, flags) : kRefused;
}

// Takes the first `sent` bytes off a message, and with them its control data, which went along.
void advance(msghdr& message, std::size_t sent) {
  message.msg_control = nullptr;
  message.msg_controllen = 0;
  while (message.msg_iovlen != 0 && sent >= message.msg_iov->iov_len) {
    sent -= message.msg_iov->iov_len;
    ++message.msg_iov;
    --message.msg_iovlen;
  }
  if (sent == 0) return;
  message.msg_iov->iov_base = static_cast<std::byte*>(message.msg_iov->iov_base) + sent;
  message.msg_iov->iov_len -= sent;
}

// As green_sendto: all of it.
ssize_t green_sendmsg(int socket, const msghdr* message, int flags) {
  if (!check_descriptor(socket)) return kRefused;
  const bool refused = message->msg_iovlen > IOV_MAX;
  if (refused || !may_wait(flags) || never_blocks(socket)) {
    return send_message(socket, message, flags);
  }
  std::vector<iovec> parts(message->msg_iov, message->msg_iov + message->msg_iovlen);
  msghdr rest = *message;
  rest.msg_iov = parts.data();
  std::size_t done = 0;
  for (;;) {
    if (!wait_until_ready(socket, POLLOUT)) break;
    const ssize_t sent = send_message(socket, &rest, flags | MSG_DONTWAIT);
    if (sent >= 0) {
      done += static_cast<std::size_t>(sent);
      advance(rest, static_cast<std::size_t>(sent));
      if (rest.msg_iovlen == 0) return static_cast<ssize_t>(done);
    } else if (errno == EAGAIN) {
      nap();
    } else {
      break;
    }
  }
  return done != 0 ? static_cast<ssize_t>(done) : kRefused;
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_socket(int family, int type, int protocol) {
  const auto make = [=] { return __real_socket(family, type, protocol); };
  return green_caller() == nullptr ? DescriptorTable::instance().make_own(make)
                                   : DescriptorTable::instance().adopt(make());
}

int __wrap_socketpair(int family, int type, int protocol, int pair[2]) {
  if (green_caller() == nullptr) return __real_socketpair(family, type, protocol, pair);
  const Bounce made = Bounce::out(pair, 2 * sizeof *pair);
  if (!made.ok() || __real_socketpair(family, type, protocol, made.as<int>()) != 0) return kRefused;
  pair[0] = DescriptorTable::instance().adopt(made.as<int>()[0]);
  pair[1] = DescriptorTable::instance().adopt(made.as<int>()[1]);
  return 0;
}

int __wrap_bind(int socket, const sockaddr* address, socklen_t size) {
  if (green_caller() == nullptr) return __real_bind(socket, address, size);
  const Bounce bounced = Bounce::in(address, size);
  if (!check_descriptor(socket) || !bounced.ok()) return kRefused;
  return __real_bind(socket, bounced.as<sockaddr>(), size);
}

int __wrap_listen(int socket, int backlog) {
  if (green_caller() != nullptr && !check_descriptor(socket)) return kRefused;
  return __real_listen(socket, backlog);
}

int __wrap_accept4(int socket, sockaddr* address, socklen_t* size, int flags) {
  if (green_caller() == nullptr) return __real_accept4(socket, address, size, flags);
  return green_accept(socket, address, size, flags);
}

int __wrap_accept(int socket, sockaddr* address, socklen_t* size) {
  if (green_caller() == nullptr) return __real_accept(socket, address, size);
  return green_accept(socket, address, size, 0);
}

int __wrap_connect(int socket, const sockaddr* address, socklen_t size) {
  if (green_caller() == nullptr) return __real_connect(socket, address, size);
  return green_connect(socket, address, size);
}

int __wrap_shutdown(int socket, int how) {
  if (green_caller() != nullptr && !check_descriptor(socket)) return kRefused;
  return __real_shutdown(socket, how);
}

int __wrap_getsockname(int socket, sockaddr* address, socklen_t* size) {
  if (green_caller() == nullptr) return __real_getsockname(socket, address, size);
  if (!check_descriptor(socket)) return kRefused;
  return with_address_out(address, size, [&](sockaddr* filled, socklen_t* filled_size) {
    return __real_getsockname(socket, filled, filled_size);
  });
}

int __wrap_getpeername(int socket, sockaddr* address, socklen_t* size) {
  if (green_caller() == nullptr) return __real_getpeername(socket, address, size);
  if (!check_descriptor(socket)) return kRefused;
  return with_address_out(address, size, [&](sockaddr* filled, socklen_t* filled_size) {
    return __real_getpeername(socket, filled, filled_size);
  });
}

int __wrap_setsockopt(int socket, int level, int name, const void* value, socklen_t size) {
  if (green_caller() == nullptr) return __real_setsockopt(socket, level, name, value, size);
  const Bounce bounced = Bounce::in(value, size);
  if (!check_descriptor(socket) || !bounced.ok()) return kRefused;
  return __real_setsockopt(socket, level, name, bounced.data(), size);
}

int __wrap_getsockopt(int socket, int level, int name, void* value, socklen_t* size) {
  if (green_caller() == nullptr) return __real_getsockopt(socket, level, name, value, size);
  if (!check_descriptor(socket)) return kRefused;
  return with_address_out(static_cast<sockaddr*>(value), size,
                          [&](sockaddr* filled, socklen_t* filled_size) {
                            return __real_getsockopt(socket, level, name, filled, filled_size);
                          });
}

ssize_t __wrap_recvfrom(int socket, void* data, std::size_t size, int flags, sockaddr* address,
                        socklen_t* address_size) {
  if (green_caller() == nullptr) {
    return __real_recvfrom(socket, data, size, flags, address, address_size);
  }
  return green_recvfrom(socket, data, size, flags, address, address_size);
}

ssize_t __wrap_recv(int socket, void* data, std::size_t size, int flags) {
  if (green_caller() == nullptr) return __real_recv(socket, data, size, flags);
  return green_recvfrom(socket, data, size, flags, nullptr, nullptr);
}

ssize_t __wrap_sendto(int socket, const void* data, std::size_t size, int flags,
                      const sockaddr* address, socklen_t address_size) {
  if (green_caller() == nullptr) {
    return __real_sendto(socket, data, size, flags, address, address_size);
  }
  return green_sendto(socket, data, size, flags, address, address_size);
}

ssize_t __wrap_send(int socket, const void* data, std::size_t size, int flags) {
  if (green_caller() == nullptr) return __real_send(socket, data, size, flags);
  return green_sendto(socket, data, size, flags, nullptr, 0);
}

ssize_t __wrap_recvmsg(int socket, msghdr* message, int flags) {
  if (green_caller() == nullptr) return __real_recvmsg(socket, message, flags);
  return green_recvmsg(socket, message, flags);
}

ssize_t __wrap_sendmsg(int socket, const msghdr* message, int flags) {
  if (green_caller() == nullptr) return __real_sendmsg(socket, message, flags);
  return green_sendmsg(socket, message, flags);
}

}  // extern "C"
