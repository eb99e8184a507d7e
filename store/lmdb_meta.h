// LMDB's two meta pages, read without LMDB.
//
// LMDB opens the younger of two metas and checks no more than their magic. A flipped bit in a
// transaction id makes it open an older state without a word; metas that are both whole differ by
// one, or not at all before the first commit.
//
// Errors: kStoreDamaged, kIoFailed.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace revenant::store {

base::Status check_lmdb_metas(const std::filesystem::path& store);

}  // namespace revenant::store
