// Starting another program for a green thread: what posix_spawn, system and popen have in common.
//
// Path, arguments, environment, attributes and file actions lie wherever the program put them; the
// child that libc makes shares this process's memory until it has called exec, with signal handlers
// that serve no missing page. So all is copied, and a pool thread starts the program. A start that
// a restart cuts off is made again, as system calls are.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace revenant::runtime {

// A copy of a null-terminated array of strings; null stays null.
class StringArray {
 public:
  explicit StringArray(char* const* from);
  StringArray(const StringArray&) = delete;
  StringArray& operator=(const StringArray&) = delete;

  [[nodiscard]] char* const* data() const { return pointers_.empty() ? nullptr : pointers_.data(); }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

struct ProgramStart {
  const char* path;
  bool search_path = false;
  const posix_spawn_file_actions_t* actions = nullptr;
  const posix_spawnattr_t* attributes = nullptr;
  char* const* arguments;
  char* const* environment;
};

// 0, and the child's id in `child`; or an errno value, as posix_spawn's. EBADF: an action takes a
// descriptor that is not the caller's.
int start_program(const ProgramStart& start, pid_t& child);

}  // namespace revenant::runtime
