// A program of the test's own, run in a child process as users run theirs: killed, and started
// again on the same store.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>

#include "revenant/revenant.h"

namespace revenant::testing {

// How a child ended, and what it said.
struct Ended {
  int status = 0;  // of waitpid
  std::string out;
  std::string err;

  [[nodiscard]] int exit_code() const;  // -1: killed by a signal
};

class ChildProgram {
 public:
  // Exits with what `body` returns, which prepares its process and calls run.
  explicit ChildProgram(const std::function<int()>& body);
  // Runs `main` as a program on `store`, with a snapshot `every` so often, or on request only (0).
  template <class F>
  ChildProgram(const std::filesystem::path& store, F main,
               std::chrono::nanoseconds every = std::chrono::milliseconds(10))
      : ChildProgram([&store, &main, every] {
          options chosen;
          chosen.store = store;
          chosen.snapshot_every = every;
          return run(chosen, main);
        }) {}
  ~ChildProgram();
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;

  // Writes to its stdin, or closes it.
  void tell(const std::string& text);
  void close_stdin();
  // Returns once it has read all that it was told.
  void wait_until_read() const;
  // Reads its stdout until it holds `text`; false when the child ended before.
  bool says(const std::string& text);
  // The same of its stderr.
  bool complains(const std::string& text);
  void send(int signal);
  // Returns once no signal waits for it to be taken.
  void wait_until_signals_are_taken() const;
  void kill() { send(SIGKILL); }
  // Waits for its end.
  Ended wait();

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  int stderr_ = -1;
  std::string out_;
  std::string err_;
};

// Runs `main` on a new store to its end.
template <class F>
Ended run_to_end(const std::filesystem::path& store, F main) {
  return ChildProgram(store, main).wait();
}

}  // namespace revenant::testing
