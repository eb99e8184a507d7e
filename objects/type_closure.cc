#include "objects/type_closure.h"

#include <algorithm>

namespace revenant::objects {

std::vector<const type_description*> type_closure(const type_description& type) {
  std::vector<const type_description*> all{&type};
  const auto add = [&all](type_reference reference) {
    const type_description* found = &reference();
    if (std::ranges::find(all, found) == all.end()) all.push_back(found);
  };
  std::size_t looked_at = 0;
  while (looked_at < all.size()) {  // which grows meanwhile
    const type_description& each = *all[looked_at++];
    for (const member_description& member : each.members) add(member.type);
    for (const type_reference argument : each.arguments) add(argument);
  }
  return all;
}

bool survives_upgrade(const type_description& type) {
  return std::ranges::all_of(type_closure(type), [](const type_description* each) {
    return (each->flags & type_bytes_survive) != 0;
  });
}

}  // namespace revenant::objects
