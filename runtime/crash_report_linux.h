// The last words of a program: who failed, how, where, and how to go on.
//
//   exception without a handler, double or foreign free:  facts noted --> SIGABRT --+
//   abort, SIGFPE, SIGILL --------------------------------------------------------> + --> report
//   access that cannot be resumed, from vm's fault port --------------------------> +
//
// A report is one block on stderr: program, thread, what happened, the backtrace with functions and
// lines, and that the store stays as last committed.
//
// I1  Reports are written on the alternate signal stack, in volatile memory: the kernel fills no
//     missing page of a green thread's stack.
// I2  A fault in the report ends it: what there is of it is written, and the process ends.
// I3  A bad end outside green threads is left to whatever handled the signal before (a core dump,
//     a sanitizer), unless it comes from a page of the space that cannot be filled.
//
// Threads: install once, before green threads run. The first thread to fail reports; others that
// fail meanwhile wait for the end.
#pragma once

#include <filesystem>

#include "vm/memory_manager.h"

namespace revenant::runtime {

// Has every bad end reported from here on; `store` is where failures are counted. Takes SIGABRT,
// SIGFPE and SIGILL, the terminate handler, the heap's misuse handler and the fatal faults of
// `memory`.
void install_crash_reports(vm::MemoryManager& memory, const std::filesystem::path& store);

}  // namespace revenant::runtime
