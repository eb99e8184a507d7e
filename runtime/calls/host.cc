// What green threads ask about the host and the process: the kernel's answers are bounced.
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "runtime/calls/argument_bounce.h"
#include "runtime/elsewhere.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

struct ProcessorCount {
  void run() { count = __real_get_nprocs(); }
  int count = 1;
};

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_uname(utsname* result) {
  return with_result(result, [](utsname* r) { return __real_uname(r); });
}

int __wrap_getrusage(__rusage_who who, rusage* result) {
  return with_result(result, [&](rusage* r) { return __real_getrusage(who, r); });
}

int __wrap_getrlimit(__rlimit_resource of, rlimit* result) {
  return with_result(result, [&](rlimit* r) { return __real_getrlimit(of, r); });
}
int __wrap_getrlimit64(__rlimit_resource of, rlimit64* result) {
  return with_result(result, [&](rlimit64* r) { return __real_getrlimit64(of, r); });
}

int __wrap_setrlimit(__rlimit_resource of, const rlimit* wanted) {
  return with_values(wanted, 1, [&](const rlimit* w) { return __real_setrlimit(of, w); });
}

int __wrap_sysinfo(struct sysinfo* result) {
  return with_result(result, [](struct sysinfo* r) { return __real_sysinfo(r); });
}

// libc asks the kernel for a set of 32 KiB on its own stack.
int __wrap_get_nprocs() {
  if (green_caller() == nullptr) return __real_get_nprocs();
  for (;;) {
    Elsewhere<ProcessorCount> call;
    if (call.run()) return call->count;
  }
}

}  // extern "C"
