// Other programs, started by green threads: posix_spawn, system, popen, and exec in place of this
// one.
#include <fcntl.h>
#include <paths.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>

#include "base/lock.h"
#include "revenant/memory.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/program_start_linux.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// popen's streams and their programs. Of this process, as the streams' descriptors are.
class PipedPrograms {
 public:
  void add(FILE* stream, pid_t program) {
    const volatile_scope scope;
    const base::LockGuard guard(lock_);
    programs_[stream] = program;
  }
  // The stream's program, which is forgotten; -1: none.
  pid_t take(FILE* stream) {
    const base::LockGuard guard(lock_);
    const auto found = programs_.find(stream);
    if (found == programs_.end()) return -1;
    const pid_t program = found->second;
    programs_.erase(found);
    return program;
  }

 private:
  base::Lock lock_{base::LockRank::kMailbox};
  std::map<FILE*, pid_t> programs_ REVENANT_GUARDED_BY(lock_);
};

PipedPrograms& piped_programs() {
  static PipedPrograms programs;
  return programs;
}

// `child` may be null, as posix_spawn's.
int green_spawn(const ProgramStart& start, pid_t* child) {
  pid_t started = -1;
  const int error = start_program(start, started);
  if (error == 0 && child != nullptr) *child = started;
  return error;
}

// Runs a command by the shell, with `actions` on its descriptors.
int start_shell(const char* command, const posix_spawn_file_actions_t* actions, pid_t& child) {
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  return start_program(
      {.path = _PATH_BSHELL, .actions = actions, .arguments = arguments, .environment = environ},
      child);
}

// A child's status, or -1: after a restart it is another process's child.
int status_of(pid_t child) {
  int status = -1;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

int green_system(const char* command) {
  pid_t child = -1;
  if (const int error = start_shell(command, nullptr, child)) return errno = error, -1;
  return status_of(child);
}

// Both ends are closed by exec, so that no program started later keeps this one's pipe open.
FILE* green_popen(const char* command, const char* mode) {
  const bool reads = std::strchr(mode, 'r') != nullptr;
  if (reads == (std::strchr(mode, 'w') != nullptr)) return errno = EINVAL, nullptr;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return nullptr;
  const int own = ends[reads ? 0 : 1];
  const int given = ends[reads ? 1 : 0];
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, given, reads ? STDOUT_FILENO : STDIN_FILENO);
  pid_t child = -1;
  const int error = start_shell(command, &actions, child);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(given);
  FILE* stream = error == 0 ? ::fdopen(own, reads ? "r" : "w") : nullptr;
  if (stream == nullptr) {
    ::close(own);
    if (error != 0) errno = error;
    return nullptr;
  }
  piped_programs().add(stream, child);
  return stream;
}

// The program starts with an empty signal mask: a worker's blocks nearly all. Returns if it cannot
// be started.
int green_exec(const char* path, char* const* arguments, char* const* environment) {
  static thread_local sigset_t none;
  static thread_local sigset_t before;
  const volatile_scope scope;
  const std::string path_copy = path;
  const StringArray arguments_copy(arguments);
  const StringArray environment_copy(environment);
  __real_pthread_sigmask(SIG_SETMASK, &none, &before);
  __real_syscall(SYS_execve, path_copy.c_str(), arguments_copy.data(), environment_copy.data());
  const int error = errno;
  __real_pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return -1;
}

int exec_for_caller(const char* path, char* const* arguments, char* const* environment) {
  if (green_caller() != nullptr) return green_exec(path, arguments, environment);
  return static_cast<int>(__real_syscall(SYS_execve, path, arguments, environment));
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_posix_spawn(pid_t* child, const char* path, const posix_spawn_file_actions_t* actions,
                       const posix_spawnattr_t* attributes, char* const arguments[],
                       char* const environment[]) {
  if (green_caller() == nullptr) {
    return __real_posix_spawn(child, path, actions, attributes, arguments, environment);
  }
  return green_spawn({path, false, actions, attributes, arguments, environment}, child);
}

int __wrap_posix_spawnp(pid_t* child, const char* name, const posix_spawn_file_actions_t* actions,
                        const posix_spawnattr_t* attributes, char* const arguments[],
                        char* const environment[]) {
  if (green_caller() == nullptr) {
    return __real_posix_spawnp(child, name, actions, attributes, arguments, environment);
  }
  return green_spawn({name, true, actions, attributes, arguments, environment}, child);
}

int __wrap_system(const char* command) {
  if (green_caller() == nullptr) return __real_system(command);
  return command == nullptr ? 1 : green_system(command);
}

FILE* __wrap_popen(const char* command, const char* mode) {
  return green_caller() == nullptr ? __real_popen(command, mode) : green_popen(command, mode);
}

int __wrap_pclose(FILE* stream) {
  const pid_t program = piped_programs().take(stream);
  if (program < 0) return __real_pclose(stream);
  ::fclose(stream);
  return status_of(program);
}

int __wrap_execve(const char* path, char* const arguments[], char* const environment[]) {
  return exec_for_caller(path, arguments, environment);
}

// What the other names of exec call, in libc and in the children of posix_spawn.
int __wrap___execve(const char* path, char* const arguments[], char* const environment[]) {
  return exec_for_caller(path, arguments, environment);
}

}  // extern "C"
