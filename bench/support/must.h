// What a bench does where something fails that has to work: it ends, and says why.
#pragma once

#include "base/check.h"

namespace revenant::bench {

template <class Result>
void must(const Result& result) {
  REVENANT_CHECK(result.ok(), "%s", result.error().message.c_str());
}

}  // namespace revenant::bench
