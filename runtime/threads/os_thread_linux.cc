#include "runtime/threads/os_thread_linux.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "base/check.h"
#include "runtime/host/guard_values_linux.h"

namespace revenant::runtime {
namespace {

// Below the space, where every build's sanitizer leaves room for the program.
constexpr std::uintptr_t kStacksAddress = 0x550000000000;
constexpr std::size_t kSlotBytes = std::size_t{16} << 20;
constexpr std::size_t kStackBytes = std::size_t{8} << 20;
constexpr std::size_t kSlots = 1024;

void* slot_stack(unsigned slot) {
  return reinterpret_cast<void*>(kStacksAddress + slot * kSlotBytes + kSlotBytes - kStackBytes);
}

[[noreturn]] __attribute__((noinline)) void run_body(const OsThreadOptions& options) {
  // Owned by this frame, which is never left.
  const auto adopted = options.memory->adopt_thread();
  REVENANT_CHECK(adopted.ok(), "%s", adopted.error().message.c_str());
  options.body(options.context, {slot_stack(options.slot), kStackBytes});
  std::abort();
}

[[noreturn]] __attribute__((no_stack_protector)) void* enter(void* argument) {
  const std::unique_ptr<OsThreadOptions> options(static_cast<OsThreadOptions*>(argument));
  adopt_guard_values(options->guards);
  run_body(*options);
}

// All but the faults, which concern the thread that causes them.
sigset_t signals_for_others() {
  sigset_t signals;
  ::sigfillset(&signals);
  for (const int fault : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    ::sigdelset(&signals, fault);
  }
  return signals;
}

base::Error cannot(const std::string& what, int error, const std::string& way_out) {
  return {base::ErrorCode::kUnsupportedHost, what + ": " + std::strerror(error) + "; " + way_out};
}

}  // namespace

base::Status start_os_thread(const OsThreadOptions& options) {
  void* stack = slot_stack(options.slot);
  void* mapped = ::mmap(stack, kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (mapped != stack) {
    return cannot(
        std::string("cannot place the stack of thread '") + options.name + "' at its fixed address",
        mapped == MAP_FAILED ? errno : EEXIST, "raise RLIMIT_AS (ulimit -v), or free the range");
  }
  const sigset_t blocked = signals_for_others();
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstack(&attributes, stack, kStackBytes);
  auto argument = std::make_unique<OsThreadOptions>(options);
  pthread_t thread;
  const int error = ::pthread_create(&thread, &attributes, enter, argument.get());
  ::pthread_attr_destroy(&attributes);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    return cannot(std::string("cannot start thread '") + options.name + "'", error,
                  "raise RLIMIT_NPROC (ulimit -u)");
  }
  (void)argument.release();
  ::pthread_setname_np(thread, options.name);
  return {};
}

bool is_on_fixed_stack(std::uintptr_t address) {
  return address >= kStacksAddress && address < kStacksAddress + kSlots * kSlotBytes;
}

void sleep_for_ever() {
  for (;;) ::pause();
}

}  // namespace revenant::runtime
