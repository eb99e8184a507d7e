// Reading and writing by green threads: bounced, and parked while they would block.
//
// A call is made inline once its descriptor is ready, so that it returns at once; what it moves
// passes through volatile memory. Scattered buffers are gathered into one: the kernel is then given
// a single address.
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/units.h"
#include "runtime/calls/blocking.h"
#include "runtime/calls/bounce.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

ssize_t green_read(int descriptor, void* data, std::size_t size) {
  const bool ready =
      size == 0 ? check_descriptor(descriptor) : wait_until_ready(descriptor, POLLIN);
  if (!ready) return -1;
  const Bounce bounce = Bounce::out(data, size);
  if (!bounce.ok()) return -1;
  const ssize_t got = __real_read(descriptor, bounce.data(), size);
  if (got > 0) bounce.deliver(static_cast<std::size_t>(got));
  return got;
}

// One piece that does not block: a pipe that is ready takes PIPE_BUF bytes, a socket says EAGAIN.
ssize_t write_piece(int descriptor, const std::byte* data, std::size_t size) {
  const ssize_t sent = __real_send(descriptor, data, size, MSG_DONTWAIT);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return __real_write(descriptor, data, std::min<std::size_t>(size, PIPE_BUF));
}

// Bounces a piece at a time, since it may be parked between two.
ssize_t write_in_pieces(int descriptor, const std::byte* data, std::size_t size) {
  constexpr std::size_t kLargestPiece = std::size_t{64} * 1024;
  std::size_t done = 0;
  while (done < size) {
    if (!wait_until_ready(descriptor, POLLOUT)) return done != 0 ? static_cast<ssize_t>(done) : -1;
    const std::size_t wanted = std::min(size - done, kLargestPiece);
    ssize_t written = -1;
    {
      const Bounce bounce = Bounce::in(data + done, wanted);
      if (bounce.ok()) written = write_piece(descriptor, bounce.as<std::byte>(), wanted);
    }
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {
      nap();
    } else {
      return done != 0 ? static_cast<ssize_t>(done) : -1;
    }
  }
  return static_cast<ssize_t>(done);
}

ssize_t green_write(int descriptor, const void* data, std::size_t size) {
  if (!check_descriptor(descriptor)) return -1;
  if (size != 0 && !never_blocks(descriptor)) {
    return write_in_pieces(descriptor, static_cast<const std::byte*>(data), size);
  }
  const Bounce bounce = Bounce::in(data, size);
  return bounce.ok() ? __real_write(descriptor, bounce.data(), size) : -1;
}

ssize_t green_pread(int descriptor, void* data, std::size_t size, off_t offset) {
  const Bounce bounce = Bounce::out(data, size);
  if (!check_descriptor(descriptor) || !bounce.ok()) return -1;
  const ssize_t got = __real_pread(descriptor, bounce.data(), size, offset);
  if (got > 0) bounce.deliver(static_cast<std::size_t>(got));
  return got;
}

ssize_t green_pwrite(int descriptor, const void* data, std::size_t size, off_t offset) {
  const Bounce bounce = Bounce::in(data, size);
  if (!check_descriptor(descriptor) || !bounce.ok()) return -1;
  return __real_pwrite(descriptor, bounce.data(), size, offset);
}

// The scattered buffers as one, in the green thread's own memory: it may be parked with it.
class Gathered {
 public:
  Gathered(const iovec* parts, int count) : parts_(parts), count_(count) {
    for (int i = 0; i < count; ++i) size_ += parts[i].iov_len;
    // Aligned as O_DIRECT wants it, where whole blocks may mean that (bounce.h).
    const bool whole_pages = size_ != 0 && size_ % base::kPageSize == 0;
    data_ = static_cast<std::byte*>(whole_pages ? std::aligned_alloc(base::kPageSize, size_)
                                                : std::malloc(std::max<std::size_t>(size_, 1)));
  }
  ~Gathered() { std::free(data_); }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  void gather() const {
    std::byte* at = data_;
    for (int i = 0; i < count_; ++i) {
      if (parts_[i].iov_len != 0) std::memcpy(at, parts_[i].iov_base, parts_[i].iov_len);
      at += parts_[i].iov_len;
    }
  }

  void scatter(ssize_t got) const {
    auto left = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    const std::byte* at = data_;
    for (int i = 0; i < count_ && left != 0; ++i) {
      const std::size_t part = std::min(left, parts_[i].iov_len);
      std::memcpy(parts_[i].iov_base, at, part);
      at += part;
      left -= part;
    }
  }

 private:
  const iovec* parts_;
  int count_;
  std::size_t size_ = 0;
  std::byte* data_ = nullptr;
};

template <class Read>
ssize_t read_scattered(const iovec* parts, int count, Read read) {
  if (count < 0 || count > IOV_MAX) return errno = EINVAL, -1;
  const Gathered gathered(parts, count);
  if (gathered.data() == nullptr) return -1;
  const ssize_t got = read(gathered.data(), gathered.size());
  gathered.scatter(got);
  return got;
}

template <class Write>
ssize_t write_gathered(const iovec* parts, int count, Write write) {
  if (count < 0 || count > IOV_MAX) return errno = EINVAL, -1;
  const Gathered gathered(parts, count);
  if (gathered.data() == nullptr) return -1;
  gathered.gather();
  return write(gathered.data(), gathered.size());
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

ssize_t __wrap_read(int descriptor, void* data, std::size_t size) {
  if (green_caller() == nullptr) return __real_read(descriptor, data, size);
  return green_read(descriptor, data, size);
}

ssize_t __wrap_write(int descriptor, const void* data, std::size_t size) {
  if (green_caller() == nullptr) return __real_write(descriptor, data, size);
  return green_write(descriptor, data, size);
}

ssize_t __wrap_pread(int descriptor, void* data, std::size_t size, off_t offset) {
  if (green_caller() == nullptr) return __real_pread(descriptor, data, size, offset);
  return green_pread(descriptor, data, size, offset);
}

ssize_t __wrap_pread64(int descriptor, void* data, std::size_t size, off_t offset) {
  return __wrap_pread(descriptor, data, size, offset);
}

ssize_t __wrap_pwrite(int descriptor, const void* data, std::size_t size, off_t offset) {
  if (green_caller() == nullptr) return __real_pwrite(descriptor, data, size, offset);
  return green_pwrite(descriptor, data, size, offset);
}

ssize_t __wrap_pwrite64(int descriptor, const void* data, std::size_t size, off_t offset) {
  return __wrap_pwrite(descriptor, data, size, offset);
}

ssize_t __wrap_readv(int descriptor, const iovec* parts, int count) {
  if (green_caller() == nullptr) return __real_readv(descriptor, parts, count);
  return read_scattered(parts, count, [&](void* data, std::size_t size) {
    return green_read(descriptor, data, size);
  });
}

ssize_t __wrap_writev(int descriptor, const iovec* parts, int count) {
  if (green_caller() == nullptr) return __real_writev(descriptor, parts, count);
  return write_gathered(parts, count, [&](const void* data, std::size_t size) {
    return green_write(descriptor, data, size);
  });
}

ssize_t __wrap_preadv(int descriptor, const iovec* parts, int count, off_t offset) {
  if (green_caller() == nullptr) return __real_preadv(descriptor, parts, count, offset);
  return read_scattered(parts, count, [&](void* data, std::size_t size) {
    return green_pread(descriptor, data, size, offset);
  });
}

ssize_t __wrap_pwritev(int descriptor, const iovec* parts, int count, off_t offset) {
  if (green_caller() == nullptr) return __real_pwritev(descriptor, parts, count, offset);
  return write_gathered(parts, count, [&](const void* data, std::size_t size) {
    return green_pwrite(descriptor, data, size, offset);
  });
}

}  // extern "C"
