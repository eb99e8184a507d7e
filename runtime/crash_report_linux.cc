#include "runtime/crash_report_linux.h"

#include <cxxabi.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/exit_code.h"
#include "base/sanitizer.h"
#include "objects/allocation_domain.h"
#include "objects/misuse.h"
#include "runtime/api_support.h"
#include "runtime/host/backtrace_linux.h"
#include "runtime/host/failure_count_linux.h"
#include "runtime/host/report_text.h"
#include "runtime/machine.h"
#include "runtime/output_linux.h"
#include "store/store_call.h"

namespace revenant::runtime {
namespace {

using base::kFailed;
constexpr unsigned kSuspiciousFailures = 3;
// A report that does not come to its end, as when the failed code held libc's own locks, is cut.
constexpr unsigned kLongestReportS = 20;

// Static: the report is written by a signal handler, and the failed thread's stack is not its.
struct ReportState {
  char store[1024] = {};
  FailureCount failures;
  std::atomic<int> reporter{0};  // the OS thread that reports
  ReportText text;
  // Noted before SIGABRT is raised; empty when it comes from elsewhere.
  char noted[4096] = {};
  Backtrace noted_backtrace;
  int noted_exit_code = kFailed;
  bool noted_is_bug = true;  // false: there is nothing to trace
};

ReportState& report() {
  static ReportState state;
  return state;
}

struct sigaction previous_abort, previous_fpe, previous_ill;

GreenThread* running_green_thread() {
  const Worker* worker = Worker::of_this_thread();
  return worker == nullptr ? nullptr : worker->current();
}

// Makes the calling OS thread the only one that reports. A second fault of the same one ends the
// process.
void begin_report() {
  const int self = static_cast<int>(::syscall(SYS_gettid));
  int none = 0;
  if (report().reporter.compare_exchange_strong(none, self)) {
    objects::set_allocation_domain(objects::AllocationDomain::kVolatile);
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(kLongestReportS);
    return;
  }
  if (none == self) {  // I2
    report().text.add("    (the report itself failed here)\n");
    report().text.flush();
    ::_exit(kFailed);
  }
  for (;;) ::pause();
}

void add_program(ReportText& text) {
  text.add("%s: ", Machine::instance().options().program.c_str());
}

void add_thread(ReportText& text) {
  const GreenThread* thread = running_green_thread();
  if (thread == nullptr) {
    text.add("the runtime ");
  } else {
    text.add("thread %" PRIu64 " '%.32s' ", thread->record.id, thread->record.name);
  }
}

void add_way_out(ReportText& text, int exit_code) {
  const std::uint64_t revision = Machine::instance().snapshotter().durable().value;
  add_program(text);
  if (exit_code == base::kFindings) {
    text.add(
        "nothing was written over it; see what else is damaged with "
        "'revenant verify -s %s', and go on from a copy of the store\n",
        report().store);
    return;
  }
  text.add("the store %s stays as last committed (revision %" PRIu64
           "); start the program again to go on from there\n",
           report().store, revision);
  if (!report().noted_is_bug) return;
  const unsigned count = report().failures.count(revision);
  if (count < kSuspiciousFailures) return;
  add_program(text);
  text.add("this was bad end number %u in a row from revision %" PRIu64
           ", so the next will probably be the same: mend the program, and start the new build "
           "with --upgrade, which keeps the roots and begins main anew\n",
           count, revision);
}

// The rest of the report, after its first sentence.
[[noreturn]] void end_report(const Backtrace& backtrace, int exit_code) {
  ReportText& text = report().text;
  if (report().noted_is_bug) describe(backtrace, text);
  add_way_out(text, exit_code);
  text.flush();
  ::_exit(exit_code);
}

std::uintptr_t instruction_of(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
  return static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
}

// Where: thread, address, segment, and the rule that was broken if one was.
void add_access(ReportText& text, const vm::FaultReport& fault) {
  text.add(fault.is_write ? "wrote to 0x%" PRIxPTR : "read from 0x%" PRIxPTR, fault.address);
  const char* rule = vm::rule_of(fault.reason);
  const char* segment = fault.segment[0] != '\0' ? fault.segment : "in no segment";
  if (rule[0] != '\0') {
    text.add(" (%s, rule %s)", segment, rule);
  } else if (fault.segment[0] != '\0') {
    text.add(" (%s)", segment);
  }
}

void add_fault(ReportText& text, const vm::FaultReport& fault) {
  switch (fault.reason) {
    case vm::FaultReason::kGuard:
      text.add("overflowed its stack: it ");
      add_access(text, fault);
      text.add(
          ", in the guard below it; give the thread a larger one (--stack, or stack_size of "
          "thread::attributes)\n");
      break;
    case vm::FaultReason::kDamaged:
      text.add("needs the page at 0x%" PRIxPTR " (%s), whose image in the store %s is damaged\n",
               fault.address, fault.segment, report().store);
      break;
    case vm::FaultReason::kHostFile:
      text.add("needs the page at 0x%" PRIxPTR " (%s) of ", fault.address, fault.segment);
      Machine::instance().mapped_files().describe_loss(fault.address, text);
      break;
    default:
      add_access(text, fault);
      text.add(": %s\n", vm::to_string(fault.reason));
  }
}

bool is_ours(const vm::FaultReport& fault) {
  const bool outside =
      fault.reason == vm::FaultReason::kOutside || fault.reason == vm::FaultReason::kProtection;
#ifdef REVENANT_SANITIZED
  return !outside;  // the sanitizer says more about it
#else
  return !outside || running_green_thread() != nullptr;  // I3
#endif
}

// A fault of the store's own: the way out is that of damage.
[[noreturn]] void report_store_fault(int signal, std::uintptr_t instruction) {
  begin_report();
  ReportText& text = report().text;
  add_program(text);
  add_thread(text);
  text.add(signal == SIGBUS ? "cannot read data.mdb of the store %s: it was cut short, or its disk "
                              "cannot be read (SIGBUS)\n"
                            : "cannot read data.mdb of the store %s: its structure is damaged\n",
           report().store);
  end_report(capture_backtrace(instruction), base::kFindings);
}

void on_fatal_fault(void*, const vm::FaultReport& fault) noexcept {
  if (store::StoreCall::here()) report_store_fault(fault.signal, instruction_of(fault.context));
  if (!is_ours(fault)) return;
  begin_report();
  ReportText& text = report().text;
  add_program(text);
  add_thread(text);
  add_fault(text, fault);
  end_report(capture_backtrace(instruction_of(fault.context)),
             fault.reason == vm::FaultReason::kDamaged ? base::kFindings : kFailed);
}

const struct sigaction& previous_of(int signal) {
  return signal == SIGABRT ? previous_abort : signal == SIGFPE ? previous_fpe : previous_ill;
}

const char* cause_of(int signal) {
  switch (signal) {
    case SIGFPE:
      return "made an arithmetic error (SIGFPE), such as a division by zero";
    case SIGILL:
      return "ran an illegal instruction (SIGILL)";
    default:
      return "aborted (SIGABRT)";
  }
}

void on_signal(int signal, siginfo_t*, void* context) {
  ReportState& state = report();
  const bool noted = signal == SIGABRT && state.noted[0] != '\0';
  const bool of_store = signal == SIGABRT ? store::StoreCall::aborts() : store::StoreCall::here();
  if (!noted && of_store) report_store_fault(signal, instruction_of(context));
  if (!noted && running_green_thread() == nullptr) {  // I3
    ::sigaction(signal, &previous_of(signal), nullptr);
    ::raise(signal);
    return;
  }
  begin_report();
  add_program(state.text);
  add_thread(state.text);
  state.text.add("%s\n", noted ? state.noted : cause_of(signal));
  end_report(noted ? state.noted_backtrace : capture_backtrace(instruction_of(context)),
             noted ? state.noted_exit_code : kFailed);
}

// Goes over to the alternate stack (I1), with what was noted; the backtrace begins at `first`.
[[noreturn]] void report_noted(const void* first) {
  objects::set_allocation_domain(objects::AllocationDomain::kVolatile);
  report().noted_backtrace = capture_backtrace(reinterpret_cast<std::uintptr_t>(first));
  ::raise(SIGABRT);
  ::_exit(kFailed);
}

void note_exception(const char* what) {
  const std::type_info* type = abi::__cxa_current_exception_type();
  int failure = 0;
  char* readable =
      type == nullptr ? nullptr : abi::__cxa_demangle(type->name(), nullptr, nullptr, &failure);
  const char* name = readable != nullptr ? readable : type != nullptr ? type->name() : "unknown";
  std::snprintf(report().noted, sizeof report().noted,
                "let an exception leave its function, %.1000s%s%.2000s", name,
                what[0] == '\0' ? "" : ": ", what);
  std::free(readable);
}

// Whoever read the output wants no more of it: that is nobody's mistake.
void note_closed_output() {
  report().noted_is_bug = false;
  std::snprintf(report().noted, sizeof report().noted,
                "printed to a stdout whose reader has gone; give it one that stays");
}

// The store's or the disk's fault is that of the program's end, too.
void note_error(const error& failure) {
  note_exception(failure.what());
  report().noted_exit_code = exit_code_of(failure);
}

[[noreturn]] void on_terminate() {
  objects::set_allocation_domain(objects::AllocationDomain::kVolatile);
  if (!std::current_exception()) {
    std::snprintf(report().noted, sizeof report().noted, "called std::terminate");
    report_noted(__builtin_return_address(0));
  }
  try {
    throw;
  } catch (const ClosedOutput&) {
    note_closed_output();
  } catch (const error& failure) {
    note_error(failure);
  } catch (const std::exception& exception) {
    note_exception(exception.what());
  } catch (...) {
    note_exception("");
  }
  report_noted(__builtin_return_address(0));
}

void on_misuse(const objects::MisuseReport& misuse) {
  std::snprintf(report().noted, sizeof report().noted, "misused the heap: %.3000s",
                misuse.sentence);
  report_noted(__builtin_return_address(0));
}

void take_signal(int signal, struct sigaction& previous) {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  ::sigaction(signal, &action, &previous);
}

}  // namespace

void install_crash_reports(vm::MemoryManager& memory, const std::filesystem::path& store) {
  std::snprintf(report().store, sizeof report().store, "%s", store.c_str());
  report().failures.open(store);
  memory.set_fatal_fault({.call = on_fatal_fault, .context = nullptr});
  objects::set_heap_misuse_handler(on_misuse);
  std::set_terminate(on_terminate);
  take_signal(SIGABRT, previous_abort);
  take_signal(SIGFPE, previous_fpe);
  take_signal(SIGILL, previous_ill);
}

}  // namespace revenant::runtime
