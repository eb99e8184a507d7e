// Signals in, decisions out: the only place that sees SIGBUS and SIGSEGV.
//
//   kernel --SIGBUS/SIGSEGV--> port --Access--> FaultHandler --Outcome--> resume
//                                                                \------> fatal callback
//
// I1  The handler runs on the thread's alternate stack, with all asynchronous signals blocked and
//     the two it serves open: a rule that touches a missing page faults again, below itself.
// I2  errno is what it was.
// I3  A signal that is not a fault of the space, and a forbidden access, go to the fatal callback;
//     then to whatever handled the signal before start(). Nothing is swallowed.
//
// Threads: start() and stop() by one, one port at a time in a process.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstddef>

#include "base/result.h"
#include "vm/fault_handler.h"

namespace revenant::vm {

// Told of an access that cannot be resumed, on the faulting thread's alternate stack, in the middle
// of whatever it was doing: may use what a signal handler may use.
struct FatalFault {
  void (*call)(void* context, const FaultReport& report) noexcept = nullptr;
  void* context = nullptr;
};

class FaultPort {
 public:
  explicit FaultPort(FaultHandler& handler) : handler_(handler) {}
  ~FaultPort() { stop(); }
  FaultPort(const FaultPort&) = delete;
  FaultPort& operator=(const FaultPort&) = delete;

  // Takes the two signals.
  void start();
  // Gives them back.
  void stop();
  void set_fatal_fault(FatalFault fatal);

 private:
  static void on_signal(int signal, siginfo_t* info, void* context);
  void handle(int signal, const siginfo_t& info, void* context);
  void end(const siginfo_t& info, void* context, const Access& access,
           const FaultHandler::Outcome& outcome);
  void fall_back(int signal, const siginfo_t& info);

  FaultHandler& handler_;
  bool started_ = false;
  struct sigaction previous_bus_ {};
  struct sigaction previous_segv_ {};
  std::atomic<void (*)(void*, const FaultReport&) noexcept> fatal_call_{nullptr};
  std::atomic<void*> fatal_context_{nullptr};
};

// An OS thread that may touch the space: owns its alternate signal stack and its read-ahead.
//
// I4  Made and destroyed by the thread it adopts; the alternate stack it found is put back.
class AdoptedThread {
 public:
  [[nodiscard]] static base::Result<AdoptedThread> adopt();
  AdoptedThread(AdoptedThread&& other) noexcept;
  AdoptedThread& operator=(AdoptedThread&&) = delete;
  ~AdoptedThread();

 private:
  AdoptedThread(std::byte* memory, const stack_t& previous)
      : memory_(memory), previous_(previous) {}

  std::byte* memory_;  // guard, alternate stack, ReadAhead; null once moved from
  stack_t previous_;
};

}  // namespace revenant::vm
