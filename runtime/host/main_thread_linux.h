// The process's first thread while the program runs: it waits, for signals and for what must happen
// on it.
//
// exit handlers run on it, and what libc mixes into their registration is its own pointer guard: so
// green threads have it register them, and have it call exit.
//
// I1  SIGTERM and SIGINT are blocked in every thread and read here. One that follows changes
//     nothing; SIGINT says what ends a program whose last snapshot cannot be taken.
//
// Threads: open() and wait() on the first thread; execute() and post_end() on any other.
#pragma once

#include <signal.h>

#include "base/lock.h"
#include "base/result.h"

namespace revenant::runtime {

struct MainEvent {
  enum class Kind {
    kSignal,    // SIGTERM or SIGINT
    kFinished,  // main has returned `exit_code`
    kExit,      // the program called exit(`exit_code`)
  };
  Kind kind;
  int exit_code = 0;
};

class MainThread {
 public:
  // From here on SIGTERM and SIGINT wait for wait(), however long the start takes.
  static void hold_signals();
  // A file that may not grow beyond RLIMIT_FSIZE is an error (EFBIG), not the end of the process.
  static void survive_file_limits();
  // Where there will be no wait(): they end the process again.
  static void let_signals_go();
  [[nodiscard]] base::Status open();
  [[nodiscard]] bool is_open() const { return signals_ >= 0; }
  // Serves execute() until something ends the program.
  MainEvent wait() {
    const MainEvent event = wait_for_event();
    close();
    return event;
  }

  // Runs `function` on the first thread and waits for it. False when the program is ending and
  // wait() has returned: it is not run.
  bool execute(void (*function)(void*), void* context);
  void post_end(MainEvent end);

 private:
  struct Request {
    void (*function)(void*);
    void* context;
    bool served = false;
  };

  MainEvent wait_for_event();
  void close();
  void serve();
  void wake();

  int signals_ = -1;
  int wake_ = -1;

  base::Lock lock_{base::LockRank::kMailbox};
  base::Condition served_;
  Request* request_ REVENANT_GUARDED_BY(lock_) = nullptr;
  bool closed_ REVENANT_GUARDED_BY(lock_) = false;
  bool ended_ REVENANT_GUARDED_BY(lock_) = false;
  MainEvent end_ REVENANT_GUARDED_BY(lock_){};
};

}  // namespace revenant::runtime
