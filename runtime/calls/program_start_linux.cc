#include "runtime/calls/program_start_linux.h"

#include <signal.h>

#include <cerrno>
#include <optional>

#include "runtime/calls/descriptor_check.h"
#include "runtime/elsewhere.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// glibc's own struct __spawn_action, an array of which posix_spawn_file_actions_t points to.
struct SpawnAction {
  enum class Kind : int { kClose, kDup2, kOpen, kChdir, kFchdir, kCloseFrom, kTerminal };
  Kind kind;
  union {
    struct {
      int descriptor;
      int to;
    } dup2;
    struct {
      int descriptor;
      char* path;
      int flags;
      mode_t mode;
    } open;
    char* directory;
  };
};
static_assert(sizeof(SpawnAction) == 32);

std::size_t count_of(const posix_spawn_file_actions_t* actions) {
  return actions == nullptr ? 0 : static_cast<std::size_t>(actions->__used);
}

const SpawnAction* first_of(const posix_spawn_file_actions_t& actions) {
  return reinterpret_cast<const SpawnAction*>(actions.__actions);
}

bool takes_own_descriptors_only(const posix_spawn_file_actions_t* actions) {
  for (std::size_t i = 0; i < count_of(actions); ++i) {
    const SpawnAction& action = first_of(*actions)[i];
    const bool takes =
        action.kind == SpawnAction::Kind::kDup2 || action.kind == SpawnAction::Kind::kFchdir;
    if (takes && !check_descriptor(action.dup2.descriptor)) return false;
  }
  return true;
}

// A copy of file actions, paths included.
class ActionsCopy {
 public:
  explicit ActionsCopy(const posix_spawn_file_actions_t& from)
      : actions_(first_of(from), first_of(from) + count_of(&from)), copy_(from) {
    for (const SpawnAction& action : actions_) {
      const char* path = path_of(action);
      paths_.emplace_back(path == nullptr ? "" : path);
    }
    for (std::size_t i = 0; i < actions_.size(); ++i) {
      if (actions_[i].kind == SpawnAction::Kind::kOpen) actions_[i].open.path = paths_[i].data();
      if (actions_[i].kind == SpawnAction::Kind::kChdir) actions_[i].directory = paths_[i].data();
    }
    copy_.__actions = reinterpret_cast<struct __spawn_action*>(actions_.data());
  }
  ActionsCopy(const ActionsCopy&) = delete;
  ActionsCopy& operator=(const ActionsCopy&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* data() const { return &copy_; }

 private:
  static const char* path_of(const SpawnAction& action) {
    if (action.kind == SpawnAction::Kind::kOpen) return action.open.path;
    return action.kind == SpawnAction::Kind::kChdir ? action.directory : nullptr;
  }

  std::vector<SpawnAction> actions_;
  std::vector<std::string> paths_;
  posix_spawn_file_actions_t copy_;
};

// The program gets the signal mask that was asked for, or an empty one: that of the runtime's
// threads blocks nearly all.
posix_spawnattr_t attributes_of(const posix_spawnattr_t* asked) {
  posix_spawnattr_t attributes;
  if (asked != nullptr) {
    attributes = *asked;
  } else {
    ::posix_spawnattr_init(&attributes);
  }
  short flags = 0;
  ::posix_spawnattr_getflags(&attributes, &flags);
  if ((flags & POSIX_SPAWN_SETSIGMASK) != 0) return attributes;
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags | POSIX_SPAWN_SETSIGMASK));
  return attributes;
}

struct SpawnCall {
  explicit SpawnCall(const ProgramStart& start)
      : path(start.path),
        search_path(start.search_path),
        attributes(attributes_of(start.attributes)),
        arguments(start.arguments),
        environment(start.environment) {
    if (start.actions != nullptr) actions.emplace(*start.actions);
  }

  void run() {
    const auto spawn = search_path ? __real_posix_spawnp : __real_posix_spawn;
    error = spawn(&child, path.c_str(), actions ? actions->data() : nullptr, &attributes,
                  arguments.data(), environment.data());
  }

  std::string path;
  bool search_path;
  posix_spawnattr_t attributes;
  StringArray arguments;
  StringArray environment;
  std::optional<ActionsCopy> actions;
  pid_t child = -1;
  int error = 0;
};

}  // namespace

StringArray::StringArray(char* const* from) {
  if (from == nullptr) return;
  for (; *from != nullptr; ++from) strings_.emplace_back(*from);
  for (std::string& each : strings_) pointers_.push_back(each.data());
  pointers_.push_back(nullptr);
}

int start_program(const ProgramStart& start, pid_t& child) {
  ProgramStart made_anew = start;
  const bool with_own_environment = start.environment == environ;
  for (;;) {
    // A restart moves it.
    if (with_own_environment) made_anew.environment = environ;
    if (!takes_own_descriptors_only(start.actions)) return EBADF;
    Elsewhere<SpawnCall> call(made_anew);
    if (!call.run()) continue;
    if (call->error == 0) child = call->child;
    return call->error;
  }
}

}  // namespace revenant::runtime
