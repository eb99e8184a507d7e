// LMDB's two meta pages, read without LMDB, and our seals on them.
//
//   page n mod 2 of data.mdb:   | LMDB's meta of commit n | ... | seal of commit n | ... |
//
//   the meta's commit, beside the seal's     what happened                           verdict
//   the same, and the hash agrees            sealed                                  whole
//   the same, and the hash does not          LMDB took back a commit that failed,    whole, damaged
//                                            or bytes changed                        if it is
//                                            newest
//   later than the seal's                    killed, or cut off, before sealing      whole
//   later, but all else is as sealed         its transaction id changed              damaged
//   earlier than the seal's                  its transaction id changed              damaged
//   no seal, or one that fails its check     as LMDB alone leaves it                 whole
//
// LMDB opens the newer of two metas and checks no more than their magic: one flipped bit, and an
// older state is opened without a word, or a page is taken for the root that it is not.
//
// I1  Metas that are both whole differ by one, or not at all before the first commit.
// I2  A meta is sealed once its commit is durable: a seal never speaks of a commit that is not
//     there.
//
// Errors: kStoreDamaged, kIoFailed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace revenant::store {

base::Status check_lmdb_metas(const std::filesystem::path& store);

// Seals commit `transaction`, the newest of the data.mdb open as `file`. Should it fail, the commit
// stays unsealed: that is well, too.
void seal_lmdb_meta(int file, std::uint64_t transaction);

}  // namespace revenant::store
