// A store with three snapshots of a small world, made as a program's runtime makes one.
//
//   revision 1  world, threads `main` and `clerk`, roots `bank/north` and `count`
//   revision 2  one heap page more, tagged `first`
//   revision 3  that page changed
#pragma once

#include <filesystem>
#include <memory>

#include "store/store.h"
#include "tests/cli/fake_image.h"

namespace revenant::cli {

inline constexpr const char* kSamplePageText = "the page that revisions 2 and 3 write";

// The owner of the new store; it keeps the store in use.
std::unique_ptr<store::Store> make_sample_store(const std::filesystem::path& path);

}  // namespace revenant::cli
