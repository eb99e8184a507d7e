// The end of the process, asked for by a green thread.
//
// Exit handlers run on the process's main thread, whose pointer guard libc mixed into their
// registration: so green threads have it register them, in volatile memory, and have it call exit.
// Handlers belong to a process, as static objects do: the next one registers its own. A global that
// persists goes on in the next process, and is not destroyed in this one.
//
// quick_exit, _exit and abort need nothing that is the main thread's.
#include <stdlib.h>
#include <unistd.h>

#include "objects/allocation_domain.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"
#include "runtime/persistent_globals.h"

extern "C" void* __dso_handle;  // names the executable to __cxa_atexit

namespace revenant::runtime {
namespace {

// Lies in the frame of the green thread, which is not parked meanwhile: its worker waits.
struct Registration {
  void (*function)(void*);
  void* argument;
  void* library;
  int result;

  static void run(void* context) {
    auto& made = *static_cast<Registration*>(context);
    made.result = __real___cxa_atexit(made.function, made.argument, made.library);
  }
};

int register_on_main_thread(void (*function)(void*), void* argument, void* library) {
  // Where the program is ending already, a handler more is not missed.
  Registration registration{function, argument, library, 0};
  Machine::instance().main_thread().execute(Registration::run, &registration);
  return registration.result;
}

void call_plain(void* function) { reinterpret_cast<void (*)()>(function)(); }

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap___cxa_atexit(void (*function)(void*), void* argument, void* library) {
  if (is_persistent_global(argument)) return 0;
  if (green_caller() == nullptr) return __real___cxa_atexit(function, argument, library);
  return register_on_main_thread(function, argument, library);
}

int __wrap_atexit(void (*function)()) {
  return __wrap___cxa_atexit(call_plain, reinterpret_cast<void*>(function), &__dso_handle);
}

void __wrap_exit(int code) {
  if (green_caller() == nullptr) __real_exit(code);
  Machine& machine = Machine::instance();
  machine.main_thread().post_end({.kind = MainEvent::Kind::kExit, .exit_code = code});
  // The worker stays here and counts as running: no green thread runs beside the exit handlers, and
  // no snapshot sees a thread that is about to exit.
  for (;;) ::pause();
}

}  // extern "C"
