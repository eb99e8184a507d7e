// Descriptors without a path: of events (eventfd, epoll, timerfd, signalfd, inotify), of memory and
// of processes.
// Those that nobody but the runtime asks for are moved up, out of the program's way.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "runtime/calls/argument_bounce.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

DescriptorTable& table() { return DescriptorTable::instance(); }

// A new descriptor: a green thread's, or the runtime's own.
template <class F>
int make_for_caller(F make) {
  return green_caller() != nullptr ? table().adopt(make()) : table().make_own(make);
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_eventfd(unsigned count, int flags) {
  return make_for_caller([=] { return __real_eventfd(count, flags); });
}

int __wrap_memfd_create(const char* name, unsigned flags) {
  return make_for_caller([=] {
    return with_path(name, [=](const char* text) { return __real_memfd_create(text, flags); });
  });
}

int __wrap_epoll_create(int size) {
  const int made = __real_epoll_create(size);
  return green_caller() != nullptr ? table().adopt(made) : made;
}

int __wrap_epoll_create1(int flags) {
  return make_for_caller([=] { return __real_epoll_create1(flags); });
}

int __wrap_timerfd_create(clockid_t clock, int flags) {
  return make_for_caller([=] { return __real_timerfd_create(clock, flags); });
}

int __wrap_timerfd_settime(int timer, int flags, const itimerspec* wanted, itimerspec* before) {
  if (!caller_may_use(timer)) return kRefused;
  return with_values(wanted, 1, [&](const itimerspec* w) {
    return with_result(before,
                       [&](itimerspec* b) { return __real_timerfd_settime(timer, flags, w, b); });
  });
}

int __wrap_timerfd_gettime(int timer, itimerspec* left) {
  if (!caller_may_use(timer)) return kRefused;
  return with_result(left, [&](itimerspec* l) { return __real_timerfd_gettime(timer, l); });
}

int __wrap_signalfd(int descriptor, const sigset_t* signals, int flags) {
  if (green_caller() == nullptr) {
    const auto make = [=] { return __real_signalfd(descriptor, signals, flags); };
    return descriptor == -1 ? table().make_own(make) : make();
  }
  if (descriptor != -1 && !check_descriptor(descriptor)) return kRefused;
  const Bounce bounced = Bounce::in(signals, sizeof *signals);
  if (!bounced.ok()) return kRefused;
  return table().adopt(__real_signalfd(descriptor, bounced.as<sigset_t>(), flags));
}

int __wrap_pidfd_open(pid_t process, unsigned flags) {
  const int made = __real_pidfd_open(process, flags);
  return green_caller() != nullptr ? table().adopt(made) : made;
}

int __wrap_pidfd_getfd(int process, int theirs, unsigned flags) {
  if (!caller_may_use(process)) return kRefused;
  const int made = __real_pidfd_getfd(process, theirs, flags);
  return green_caller() != nullptr ? table().adopt(made) : made;
}

int __wrap_inotify_init() {
  const int made = __real_inotify_init();
  return green_caller() != nullptr ? table().adopt(made) : made;
}

int __wrap_inotify_init1(int flags) {
  const int made = __real_inotify_init1(flags);
  return green_caller() != nullptr ? table().adopt(made) : made;
}

int __wrap_inotify_add_watch(int inotify, const char* path, std::uint32_t events) {
  return with_path_at(inotify, path,
                      [&](const char* p) { return __real_inotify_add_watch(inotify, p, events); });
}

int __wrap_inotify_rm_watch(int inotify, int watch) {
  return caller_may_use(inotify) ? __real_inotify_rm_watch(inotify, watch) : kRefused;
}

}  // extern "C"
