// All that an object of a type may lead to, as far as descriptions tell.
//
//   std::vector<Order>  -->  Order  -->  its members' types  -->  what those hold and point to ...
#pragma once

#include <revenant/describe.h>

#include <vector>

namespace revenant::objects {

// `type` first, then the types of members and arguments, pointers' targets too: each once, in an
// order that the descriptions alone decide.
std::vector<const type_description*> type_closure(const type_description& type);

// True if another build of the program may take over objects of this type: nothing that they lead
// to holds an address of code, or bytes that nobody described.
bool survives_upgrade(const type_description& type);

template <class T>
bool survives_upgrade() {
  return survives_upgrade(describe<T>());
}

}  // namespace revenant::objects
