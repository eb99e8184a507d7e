#include "runtime/calls/offloaded_call.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <optional>

#include "runtime/call_pool.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {

struct OffloadedCall::Block {
  long number = 0;
  std::array<long, 6> arguments{};
  long result = -1;
  int error = ENOMEM;

  // Whatever other green threads do meanwhile.
  [[nodiscard]] bool ends_by_itself() const {
    return number == SYS_fsync || number == SYS_fdatasync;
  }
  void make() {
    const auto& [a, b, c, d, e, f] = arguments;
    result = __real_syscall(number, a, b, c, d, e, f);
    error = errno;
  }
  static void run(void* context) {
    auto& block = *static_cast<Block*>(context);
    std::optional<UnboundedWait> wait;
    if (!block.ends_by_itself()) wait.emplace();
    block.make();
  }
};

OffloadedCall::OffloadedCall(std::size_t bytes) {
  void* memory = __real_malloc(sizeof(Block) + bytes);
  block_ = memory == nullptr ? nullptr : new (memory) Block;
}

OffloadedCall::~OffloadedCall() { __real_free(block_); }

void* OffloadedCall::data() const { return block_ == nullptr ? nullptr : block_ + 1; }

bool OffloadedCall::make_with(long number, const std::array<long, 6>& arguments) {
  if (block_ == nullptr) return true;
  block_->number = number;
  block_->arguments = arguments;
  const bool made = Machine::instance().scheduler().call_offloaded(Block::run, block_);
  if (!made) block_ = nullptr;  // I1
  return made;
}

long OffloadedCall::result() const {
  if (block_ == nullptr) {
    errno = ENOMEM;
    return -1;
  }
  if (block_->result < 0) errno = block_->error;
  return block_->result;
}

}  // namespace revenant::runtime
