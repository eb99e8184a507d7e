// The functions of libc behind those that programs' calls are redirected to
// (cmake/wrapped_symbols.txt).
//
// For code that stands in the way itself, or must not be held up by it.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

extern "C" {

ssize_t __real_read(int descriptor, void* data, std::size_t size);
ssize_t __real_write(int descriptor, const void* data, std::size_t size);
int __real_poll(pollfd* polled, nfds_t count, int timeout_ms);

}  // extern "C"
