// Globals that live in the snapshot: those of PERSIST_GLOBALS, PERSIST_GLOBALS_OF and
// REVENANT_PERSISTENT. The linker puts them into the low window (cmake/low_window.ld.in), and the
// addresses of their constructors into a list of its own, which no process runs at its start.
//
// I1  A constructor runs once in the life of a store, in the green thread of main and before main's
//     function: what it allocates is persistent, and a death half-way is no other than elsewhere.
// I2  Their destructors never run: the object goes on in the next process.
#pragma once

#include <memory>

#include "base/units.h"
#include "revenant/detail/task.h"

namespace revenant::runtime {

// The low window's section in the executable; page aligned, empty when nothing is in it.
base::PageRun low_window() noexcept;

bool is_persistent_global(const void* address) noexcept;

// LeakSanitizer looks through all globals when the process exits, from where no fault is served:
// has the missing ones loaded before it does. Other builds load nothing.
void load_globals_before_leak_check();

// A task that runs the constructors and then `main`; `main` itself when there are none. Called with
// persistent memory as the place of allocation.
std::unique_ptr<detail::task> after_constructors(std::unique_ptr<detail::task> main);

}  // namespace revenant::runtime
