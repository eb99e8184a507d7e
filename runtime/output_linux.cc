#include "runtime/output_linux.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "runtime/api_support.h"
#include "runtime/descriptor_wait.h"
#include "runtime/elsewhere.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// A non-blocking stdout is full: as a blocking one, it is waited for.
void wait_as_a_blocking_write() {
  pollfd room{STDOUT_FILENO, POLLOUT, 0};
  __real_poll(&room, 1, -1);
}

// Volatile memory only: the kernel fills in no missing page.
int write_all(const char* text, std::size_t bytes) {
  while (bytes != 0) {
    const long written = ::syscall(SYS_write, STDOUT_FILENO, text, bytes);
    if (written < 0) {
      if (errno == EAGAIN) {
        wait_as_a_blocking_write();
      } else if (errno != EINTR) {
        return errno;
      }
      continue;
    }
    text += written;
    bytes -= static_cast<std::size_t>(written);
  }
  return 0;
}

struct WriteCall {
  explicit WriteCall(std::string_view words) : text(words) {}
  void run() { error = write_all(text.data(), text.size()); }

  std::string text;
  int error = 0;
};

// Where nobody reads for a while, only this thread waits.
void wait_for_room() {
  pollfd stdout_room{STDOUT_FILENO, POLLOUT, 0};
  while (__real_poll(&stdout_room, 1, 0) == 0) {
    const DescriptorWait room{.descriptor = STDOUT_FILENO, .events = POLLOUT};
    Machine::instance().scheduler().call_offloaded(wait_for_descriptor, room.pack());
  }
}

}  // namespace

int write_to_stdout(std::string_view text) {
  if (current_green_thread() == nullptr) return write_all(text.data(), text.size());
  wait_for_room();
  for (;;) {
    Elsewhere<WriteCall> call(text);
    if (call.run_on_worker()) return call->error;
  }
}

}  // namespace revenant::runtime
