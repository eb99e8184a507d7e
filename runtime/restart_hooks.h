// What runs at each later start before the program's threads resume, and what of a start is kept.
#pragma once

#include <memory>
#include <string_view>

#include "revenant/detail/task.h"

namespace revenant::runtime {

class Machine;
class Scheduler;

// Registers `function`, from a green thread.
void add_restart_hook(std::unique_ptr<revenant::detail::task> function);
// The body of the green thread that runs all registered functions, in order, and then opens the
// gate.
std::unique_ptr<revenant::detail::task> make_restart_runner();

// From main's green thread at the program's end: asks all other threads to stop and waits for them,
// those that they start meanwhile included. The runtime's own threads are left alone.
void join_other_threads(Scheduler& scheduler);
// Whether functions or texts still wait for a commit or for their turn.
bool has_held_functions(Machine& machine);

// A copy of `argument` that stays for the life of the store.
std::string_view intern(std::string_view argument);

}  // namespace revenant::runtime
