// Standard input, output and error are open, or nobody may open anything.
//
// A file opened while one of them is closed gets its number, and then all that is printed: a store
// would be written over by its own program's greetings.
#pragma once

namespace revenant::base {

// Opens those of descriptors 0, 1 and 2 that are closed on /dev/null, or, where there is none, such
// that reads and writes fail as before. Before any other file is opened; one thread.
void open_standard_descriptors();

}  // namespace revenant::base
