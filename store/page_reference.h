// What the tree knows of a page without reading its image.
#pragma once

#include "base/units.h"
#include "store/hash.h"

namespace revenant::store {

struct PageReference {
  base::Epoch birth;
  ContentHash hash;
};

}  // namespace revenant::store
