// Terminals of green threads.
//
// libc's functions for their settings hand a structure of their own frame to the kernel, so another
// thread calls them.
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/elsewhere.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

struct GetSettings {
  explicit GetSettings(int of) : descriptor(of) {}
  void run() { error = __real_tcgetattr(descriptor, &settings) == 0 ? 0 : errno; }

  int descriptor;
  termios settings{};
  int error = 0;
};

struct SetSettings {
  SetSettings(int of, int at, const termios& wanted) : descriptor(of), when(at), settings(wanted) {}
  void run() { error = __real_tcsetattr(descriptor, when, &settings) == 0 ? 0 : errno; }

  int descriptor;
  int when;
  termios settings;
  int error = 0;
};

// Runs `call` until a restart does not cut it off; then `take` gets its block.
template <class Block, class Take, class... Arguments>
int call_about(int descriptor, Take take, Arguments... arguments) {
  for (;;) {
    if (!check_descriptor(descriptor)) return kRefused;
    Elsewhere<Block> call(descriptor, arguments...);
    if (!call.run()) continue;
    if (call->error != 0) return errno = call->error, kRefused;
    take(*call.operator->());
    return 0;
  }
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_isatty(int descriptor) {
  if (green_caller() == nullptr) return __real_isatty(descriptor);
  if (!check_descriptor(descriptor)) return 0;
  // Static: the kernel fills no missing page of a stack. What it says is not looked at.
  static char settings[256];
  return __real_ioctl(descriptor, TCGETS, settings) == 0 ? 1 : 0;
}

int __wrap_tcgetattr(int descriptor, termios* settings) {
  if (green_caller() == nullptr) return __real_tcgetattr(descriptor, settings);
  return call_about<GetSettings>(descriptor,
                                 [&](const GetSettings& got) { *settings = got.settings; });
}

int __wrap_tcsetattr(int descriptor, int when, const termios* settings) {
  if (green_caller() == nullptr) return __real_tcsetattr(descriptor, when, settings);
  return call_about<SetSettings>(
      descriptor, [](const SetSettings&) {}, when, *settings);
}

}  // extern "C"
