// What green threads ask about the host and the process: the kernel's answers are bounced.
#include <sys/resource.h>
#include <sys/utsname.h>

#include "runtime/calls/bounce.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// Fills by `call(result)`.
template <class T, class Call>
int filled_by(T* result, Call call) {
  if (green_caller() == nullptr) return call(result);
  const Bounce filled = Bounce::out(result, sizeof *result);
  if (!filled.ok()) return kRefused;
  const int outcome = call(filled.as<T>());
  if (outcome == 0) filled.deliver();
  return outcome;
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_uname(utsname* result) {
  return filled_by(result, [](utsname* r) { return __real_uname(r); });
}

int __wrap_getrusage(__rusage_who who, rusage* result) {
  return filled_by(result, [&](rusage* r) { return __real_getrusage(who, r); });
}

}  // extern "C"
