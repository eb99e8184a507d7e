#include "vm/fault_port_linux.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/units.h"
#include "vm/guarded_copy.h"
#include "vm/volatile_memory.h"
#include "vm/volatile_stack.h"

namespace revenant::vm {
namespace {

// The port that has the process's signals.
std::atomic<FaultPort*> active_port{nullptr};

// The calling OS thread's, null until it is adopted.
thread_local ReadAhead* thread_ahead = nullptr;

// Asynchronous signals wait; faults in the handler must not.
sigset_t blocked_in_handler() {
  sigset_t blocked;
  ::sigfillset(&blocked);
  for (const int fault : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
    ::sigdelset(&blocked, fault);
  }
  return blocked;
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer blocks every signal around a handler, and a blocked fault kills.
void open_nested_faults() {
  const std::uint64_t faults = std::uint64_t{1} << (SIGBUS - 1) | std::uint64_t{1} << (SIGSEGV - 1);
  ::syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &faults, nullptr, sizeof faults);
}
#else
void open_nested_faults() {}
#endif

Access access_of(int signal, const siginfo_t& info, const mcontext_t& machine) {
  return {.address = reinterpret_cast<std::uintptr_t>(info.si_addr),
          .signal = signal,
          .error_code = static_cast<std::uint32_t>(machine.gregs[REG_ERR])};
}

}  // namespace

void FaultPort::start() {
  FaultPort* none = nullptr;
  REVENANT_CHECK(active_port.compare_exchange_strong(none, this), "another port has the signals");
  struct sigaction action {};
  action.sa_sigaction = &FaultPort::on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  action.sa_mask = blocked_in_handler();
  REVENANT_CHECK(::sigaction(SIGBUS, &action, &previous_bus_) == 0, "%s", std::strerror(errno));
  REVENANT_CHECK(::sigaction(SIGSEGV, &action, &previous_segv_) == 0, "%s", std::strerror(errno));
  started_ = true;
}

void FaultPort::stop() {
  if (!std::exchange(started_, false)) return;
  ::sigaction(SIGBUS, &previous_bus_, nullptr);
  ::sigaction(SIGSEGV, &previous_segv_, nullptr);
  active_port.store(nullptr);
}

void FaultPort::set_fatal_fault(FatalFault fatal) {
  fatal_context_.store(fatal.context);
  fatal_call_.store(fatal.call);
}

void FaultPort::on_signal(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  open_nested_faults();
  active_port.load(std::memory_order_acquire)->handle(signal, *info, context);
  errno = saved;  // I2
}

void FaultPort::handle(int signal, const siginfo_t& info, void* context) {
  if (info.si_code <= 0) return fall_back(signal, info);  // sent by a process, not by an access
  mcontext_t& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
  const Access access = access_of(signal, info, machine);
  const Trap trap = handler_.classify(access);
  greg_t& instruction = machine.gregs[REG_RIP];
  if (trap == Trap::kMissing && !access.is_write()) {
    const std::uintptr_t failure = copy_failure_address(static_cast<std::uintptr_t>(instruction));
    if (failure != 0) {
      instruction = static_cast<greg_t>(failure);
      return;
    }
  }
  const FaultHandler::Outcome outcome = handler_.resolve(access, trap, thread_ahead);
  if (!outcome.resume) end(info, context, access, outcome);
}

void FaultPort::end(const siginfo_t& info, void* context, const Access& access,
                    const FaultHandler::Outcome& outcome) {
  if (const auto call = fatal_call_.load()) {
    call(fatal_context_.load(), {.address = access.address,
                                 .is_write = access.is_write(),
                                 .reason = outcome.reason,
                                 .segment = outcome.segment,
                                 .signal = access.signal,
                                 .context = context});
  }
  fall_back(access.signal, info);
}

void FaultPort::fall_back(int signal, const siginfo_t& info) {
  ::sigaction(signal, signal == SIGBUS ? &previous_bus_ : &previous_segv_, nullptr);
  // An access happens again on return; a signal that was sent must be sent again.
  if (info.si_code <= 0) ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal);
}

namespace {

// One nested fault takes a signal frame (3 to 11 KiB with vector state) and, at the deepest, the
// frames of images; sanitizers multiply both.
constexpr std::size_t kStackBytes = std::size_t{512} * 1024;
constexpr std::size_t kGuardBytes = base::kPageSize;
constexpr std::size_t kThreadBytes = kGuardBytes + kStackBytes + base::kPageSize;
static_assert(sizeof(ReadAhead) <= base::kPageSize);

}  // namespace

// The ReadAhead lies where the alternate stack ends.
void* volatile_stack_if_needed() noexcept {
  const auto here = base::PageNumber::of(__builtin_frame_address(0));
  return kSpaceRun.contains(here) ? thread_ahead : nullptr;
}

base::Result<AdoptedThread> AdoptedThread::adopt() {
  REVENANT_CHECK(thread_ahead == nullptr, "this thread was adopted before");
  REVENANT_ASSIGN(std::byte * memory, reserve_volatile(kThreadBytes, "an alternate signal stack"));
  guard_volatile(memory);
  stack_t stack{};
  stack.ss_sp = memory + kGuardBytes;
  stack.ss_size = kStackBytes;
  stack_t previous{};
  if (::sigaltstack(&stack, &previous) != 0) {
    const int error = errno;
    release_volatile(memory, kThreadBytes);
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       fmt::format("sigaltstack failed: {}", std::strerror(error))};
  }
  thread_ahead = new (memory + kGuardBytes + kStackBytes) ReadAhead;
  return AdoptedThread(memory, previous);
}

AdoptedThread::AdoptedThread(AdoptedThread&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), previous_(other.previous_) {}

AdoptedThread::~AdoptedThread() {
  if (memory_ == nullptr) return;
  thread_ahead = nullptr;
  REVENANT_CHECK(::sigaltstack(&previous_, nullptr) == 0, "%s", std::strerror(errno));  // I4
  release_volatile(memory_, kThreadBytes);
}

}  // namespace revenant::vm
