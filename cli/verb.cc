#include "cli/verb.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "base/memory_limits.h"
#include "cli/exit_code.h"
#include "cli/revision.h"
#include "runtime/options.h"

namespace revenant::cli {
namespace {

// Without cores and without a handler: the parent says what happened.
[[noreturn]] void run_as_child(const std::function<int()>& verb) {
  std::signal(SIGINT, SIG_DFL);
  int code = base::kFailed;
  try {
    code = verb();
  } catch (const std::bad_alloc&) {
    base::Error error = base::no_memory_for("reading it");
    code = fail({base::ErrorCode::kUnsupportedHost, std::move(error.message)});
  } catch (const std::exception& error) {
    fmt::print(stderr, "revenant: {}\n", error.what());
  }
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && code == base::kWell) {
    fmt::print(stderr, "revenant: the output could not be written: {}; send it elsewhere\n",
               std::strerror(errno));
    code = base::kFailed;
  }
  std::fflush(stderr);
  ::_exit(code);
}

int judge_signal(const std::filesystem::path& store, int signal) {
  if (signal == SIGINT) return base::kInterrupted;
  // Whoever read the results wants no more of them.
  if (signal == SIGPIPE || signal == SIGTERM || signal == SIGKILL) return 128 + signal;
  if (store.empty()) {
    fmt::print(stderr,
               "revenant: looking at this host ended with signal {} (SIG{}); raise its limits "
               "(ulimit -a)\n",
               signal, ::sigabbrev_np(signal));
    return base::kUnsupportedHost;
  }
  fmt::print(stderr,
             "revenant: {} is damaged: reading it ended with signal {} (SIG{}); restore it from a "
             "copy, or move it away and start anew\n",
             store.string(), signal, ::sigabbrev_np(signal));
  return base::kFindings;
}

}  // namespace

int with_store(const Context& context,
               const std::function<base::Result<int>(const store::StoreReader&)>& verb,
               store::ReadPurpose purpose) {
  const auto reader = store::StoreReader::open(context.store, purpose);
  if (!reader) return fail(reader.error());
  const auto code = verb(**reader);
  return code ? *code : fail(code.error());
}

int with_snapshot(const Context& context, const std::string& revision,
                  const std::function<base::Result<int>(const store::StoreReader&,
                                                        const store::SnapshotView&)>& verb) {
  return with_store(context, [&](const store::StoreReader& reader) -> base::Result<int> {
    REVENANT_ASSIGN(const auto record, find_revision(reader.history(), revision));
    REVENANT_ASSIGN(const auto view, reader.history().view(record.revision));
    return verb(reader, view);
  });
}

int in_child(const std::filesystem::path& store, const std::function<int()>& verb) {
  // A host is looked at however little it gives.
  const base::Status stack = store.empty() ? base::Status() : runtime::check_stack_limit();
  if (!stack.ok()) return fail(stack.error());
  std::fflush(stdout);
  std::signal(SIGINT, SIG_IGN);  // the child's end says it
  const pid_t child = ::fork();
  if (child < 0) {
    return fail({base::ErrorCode::kIoFailed, std::string("no process can be made to look: ") +
                                                 std::strerror(errno) +
                                                 "; end some others and try again"});
  }
  if (child == 0) run_as_child(verb);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : judge_signal(store, WTERMSIG(status));
}

}  // namespace revenant::cli
