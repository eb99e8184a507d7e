// What a tag may be called: what a revision can be asked for by.
//
// A revision is named as a number, `latest`, `live`, a branch, a tag, `@AGE`, or one of these and
// `~N`: a tag that reads as another of them could never be found again.
//
// Errors: kUsage.
#pragma once

#include <string_view>

#include "base/result.h"

namespace revenant::store {

base::Status check_tag_name(std::string_view name);

}  // namespace revenant::store
