// What is to run once: whoever comes first runs it, and others wait as green threads do.
//
// The word's values are libc's own, for OS threads may use the same flag.
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include <climits>
#include <mutex>

#include "base/sanitizer.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

constexpr int kUntouched = 0;
#ifdef REVENANT_TSAN  // which stands in for libc's
constexpr int kUnderWay = 1 << 16;
constexpr int kDone = 1;
#else
constexpr int kUnderWay = 1;
constexpr int kDone = 2;
#endif

// std::call_once hands its function over in thread locals of the worker's: after a wait they are
// another green thread's.
class HandedOver {
 public:
  void restore() const {
    std::__once_callable = callable_;
    std::__once_call = call_;
  }

 private:
  void* const callable_ = std::__once_callable;
  void (*const call_)() = std::__once_call;
};

void leave(pthread_once_t* flag, int value) {
  __atomic_store_n(flag, value, __ATOMIC_RELEASE);
  ::syscall(SYS_futex, flag, FUTEX_WAKE_PRIVATE, INT_MAX);
}

void run(pthread_once_t* flag, void (*function)()) {
  try {
    function();
  } catch (...) {
    leave(flag, kUntouched);
    throw;
  }
  leave(flag, kDone);
}

void green_once(pthread_once_t* flag, void (*function)()) {
  const HandedOver handed_over;
  for (;;) {
    int found = kUntouched;
    if (__atomic_compare_exchange_n(flag, &found, kUnderWay, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_ACQUIRE)) {
      handed_over.restore();
      return run(flag, function);
    }
    if ((found & kDone) != 0) return;
    ::syscall(SYS_futex, flag, FUTEX_WAIT_PRIVATE, found, nullptr);
  }
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_pthread_once(pthread_once_t* flag, void (*function)()) {
  if (green_caller() == nullptr) return __real_pthread_once(flag, function);
  green_once(flag, function);
  return 0;
}

static_assert(sizeof(once_flag) == sizeof(pthread_once_t));

void __wrap_call_once(once_flag* flag, void (*function)()) {
  ::pthread_once(reinterpret_cast<pthread_once_t*>(flag), function);
}

}  // extern "C"
