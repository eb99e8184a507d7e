// Socket calls made at once, with everything they point to bounced.
//
// They are the common half of the public names, which wait first, and of libc's inner names, which
// must not.
#pragma once

#include <sys/socket.h>

#include <cstddef>

namespace revenant::runtime {

ssize_t receive_once(int socket, void* data, std::size_t size, int flags, sockaddr* address,
                     socklen_t* address_size);
ssize_t send_once(int socket, const void* data, std::size_t size, int flags,
                  const sockaddr* address, socklen_t address_size);

// Descriptors that arrive with a message are the calling green thread's.
ssize_t receive_message(int socket, msghdr* message, int flags);
ssize_t send_message(int socket, const msghdr* message, int flags);

}  // namespace revenant::runtime
