#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "tests/support/refused_call.h"

namespace revenant::testing {
namespace {

sock_filter load(std::uint32_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset); }
// Passes over `instructions` unless what was loaded is `value`.
sock_filter unless(std::uint32_t value, std::uint8_t instructions) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, instructions);
}
sock_filter answer(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }
sock_filter fail(int error) {
  return answer(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
}

void install(std::vector<sock_filter> filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  REVENANT_CHECK(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  // All threads: the one that makes the call may be another than the one that has it refused.
  REVENANT_CHECK(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0);
}

}  // namespace

void refuse_call(long number, int error) {
  install({load(offsetof(seccomp_data, nr)), unless(static_cast<std::uint32_t>(number), 1),
           fail(error), answer(SECCOMP_RET_ALLOW)});
}

void refuse_argument(long number, unsigned index, std::uint32_t value, int error) {
  const auto offset =
      static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
  install({load(offsetof(seccomp_data, nr)), unless(static_cast<std::uint32_t>(number), 3),
           load(offset), unless(value, 1), fail(error), answer(SECCOMP_RET_ALLOW)});
}

void refuse_command(long number, std::uint32_t command, int error) {
  refuse_argument(number, 1, command, error);
}

void refuse_ioctl(unsigned long request, int error) {
  refuse_command(SYS_ioctl, static_cast<std::uint32_t>(request), error);
}

}  // namespace revenant::testing
