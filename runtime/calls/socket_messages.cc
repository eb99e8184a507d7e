// recvmsg and sendmsg for green threads: the message and all it points to, in volatile memory.
#include <limits.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/calls/bounce.h"
#include "runtime/calls/socket_calls.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

std::size_t bytes_of(const msghdr& message) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) bytes += message.msg_iov[i].iov_len;
  return bytes;
}

// A volatile message with one buffer, for one call.
class VolatileMessage {
 public:
  explicit VolatileMessage(const msghdr& from)
      : size_(bytes_of(from)), data_(static_cast<std::byte*>(__real_malloc(all_bytes(from)))) {
    if (data_ == nullptr) return;
    auto* parts = reinterpret_cast<iovec*>(data_ + sizeof(msghdr));
    auto* control = reinterpret_cast<std::byte*>(parts + 1);
    std::byte* name = control + aligned(from.msg_controllen);
    bytes_ = name + aligned(from.msg_namelen);
    *parts = {bytes_, size_};
    header() = from;
    header().msg_iov = parts;
    header().msg_iovlen = 1;
    header().msg_name = from.msg_name == nullptr ? nullptr : name;
    header().msg_control = from.msg_control == nullptr ? nullptr : control;
  }
  ~VolatileMessage() { __real_free(data_); }
  VolatileMessage(const VolatileMessage&) = delete;
  VolatileMessage& operator=(const VolatileMessage&) = delete;

  [[nodiscard]] bool ok() const { return data_ != nullptr; }
  [[nodiscard]] msghdr& header() const { return *reinterpret_cast<msghdr*>(data_); }
  [[nodiscard]] std::byte* bytes() const { return bytes_; }

 private:
  static std::size_t aligned(std::size_t bytes) { return (bytes + 15) / 16 * 16; }
  static std::size_t all_bytes(const msghdr& from) {
    return sizeof(msghdr) + sizeof(iovec) + aligned(from.msg_controllen) +
           aligned(from.msg_namelen) + bytes_of(from);
  }

  std::size_t size_;
  std::byte* data_;
  std::byte* bytes_ = nullptr;
};

void adopt_descriptors(msghdr& message) {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = 0;
      unsigned char* at = CMSG_DATA(each) + i * sizeof descriptor;
      std::memcpy(&descriptor, at, sizeof descriptor);
      descriptor = DescriptorTable::instance().adopt(descriptor);
      std::memcpy(at, &descriptor, sizeof descriptor);
    }
  }
}

void copy_if_any(void* to, const void* from, std::size_t bytes) {
  if (to != nullptr && from != nullptr && bytes != 0) std::memcpy(to, from, bytes);
}

void hand_over(const VolatileMessage& from, msghdr& to, std::size_t got) {
  const msghdr& header = from.header();
  const std::byte* at = from.bytes();
  for (std::size_t i = 0; i < to.msg_iovlen && got != 0; ++i) {
    const std::size_t part = std::min(got, to.msg_iov[i].iov_len);
    copy_if_any(to.msg_iov[i].iov_base, at, part);
    at += part;
    got -= part;
  }
  copy_if_any(to.msg_name, header.msg_name, std::min(to.msg_namelen, header.msg_namelen));
  copy_if_any(to.msg_control, header.msg_control, header.msg_controllen);
  to.msg_namelen = header.msg_namelen;
  to.msg_controllen = header.msg_controllen;
  to.msg_flags = header.msg_flags;
}

}  // namespace

ssize_t receive_message(int socket, msghdr* message, int flags) {
  if (message->msg_iovlen > IOV_MAX) return errno = EMSGSIZE, -1;
  const VolatileMessage received(*message);
  if (!received.ok()) return -1;
  const ssize_t got = __real_recvmsg(socket, &received.header(), flags);
  if (got < 0) return got;
  adopt_descriptors(received.header());
  const bool longer = (flags & MSG_TRUNC) != 0;
  const std::size_t there = bytes_of(*message);
  hand_over(received, *message, longer ? std::min<std::size_t>(got, there) : got);
  return got;
}

ssize_t send_message(int socket, const msghdr* message, int flags) {
  if (message->msg_iovlen > IOV_MAX) return errno = EMSGSIZE, -1;
  const VolatileMessage sent(*message);
  if (!sent.ok()) return -1;
  std::byte* at = sent.bytes();
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    copy_if_any(at, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    at += message->msg_iov[i].iov_len;
  }
  copy_if_any(sent.header().msg_name, message->msg_name, message->msg_namelen);
  copy_if_any(sent.header().msg_control, message->msg_control, message->msg_controllen);
  return __real_sendmsg(socket, &sent.header(), flags);
}

}  // namespace revenant::runtime
