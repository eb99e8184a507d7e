// A host that refuses this thread one allocation by operator new.
//
// It replaces operator new and delete of the program that it is linked into.
#pragma once

#include <new>

namespace revenant::testing {

// The next allocation but `number` of this thread throws std::bad_alloc; below 0: none does.
void refuse_allocation(long number);
// Whether it has come to that; none is refused from here on.
bool allocation_was_refused();

// Makes the call, refusing its allocation `number`, from 0. False: it does not need as many.
template <class Call>
bool refuse_allocation_within(long number, const Call& call) {
  refuse_allocation(number);
  try {
    call();
  } catch (const std::bad_alloc&) {
  }
  return allocation_was_refused();
}

}  // namespace revenant::testing
