// The structure of LMDB's pages, checked without LMDB, which believes it: a page number, a count or
// an offset in it that is not what was written is a crash, or pages in use that are written over.
//
//   meta -> free list: transaction -> page numbers           spine, trees, pages: all of it
//        -> main tree -> catalog                             spine, trees, pages: all of it
//                     -> images, nodes: branches             spine, trees, pages
//                                       leaves              last,   trees, pages
//                                       images themselves                  pages (their headers)
//
// I1  A page is reached once, under its own number, as what its place says: branch, leaf or value.
// I2  The nodes of a page fill it from its upper bound to its end, without a gap and disjoint; its
//     keys rise, and lie between the keys beside the reference to it.
// I3  What a tree's record counts is there: pages, entries, depth.
// I4  The free list names pages once each, and none that is in use.
//
// What is stored in the nodes is others' to check (format.h): keys and values that are whole in
// this sense may still be anything.
//
// The spine costs a few pages, however large the store: an open can afford it. It makes LMDB's
// reading safe but for leaves. It makes no writing safe: which images are in use only the leaves
// tell, and a free list that names one of them passes. Trees makes all of it safe but for the
// freeing of an image (lmdb_transaction.h I3).
//
// A page beyond the end of the file is a finding. A read that fails is not: it says nothing of what
// was written, and may be tried again.
//
// Threads: any; the pages belong to a commit that a read transaction holds, or nobody writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace revenant::store {

enum class StructureExtent : std::uint8_t { kSpine, kTrees, kPages };

// What is wrong with commit `transaction` of the data.mdb open as `file`; nothing if nothing is.
// Commits that are no longer in either meta page pass unchecked, and `checked` says so.
struct StructureVerdict {
  bool checked = false;
  std::optional<std::string> finding;
  std::vector<bool> used;  // by page: what a whole commit refers to, but for the free ones
  int failed_read = 0;     // errno of a read that failed: not checked
};
StructureVerdict check_lmdb_structure(int file, std::uint64_t transaction, StructureExtent extent);

}  // namespace revenant::store
