// Checks one snapshot's tree, reading only what its parent does not share.
//
// I1  What is younger than `boundary` is read and checked; what is older must be known already.
// I2  A damaged node is one finding; what lies below it is not walked.
//
// Threads: one. Damage is reported to the sink, never an error.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/units.h"
#include "store/lmdb_transaction.h"
#include "store/tree_node.h"
#include "store/verify.h"

namespace revenant::store {

// Keys with their births, of images and of nodes.
struct KeySet {
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> images;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> nodes;
  // False once damage kept a walk from seeing all: counts are not compared then.
  bool complete = true;

  [[nodiscard]] auto& of(DeadKind kind) { return kind == DeadKind::kImage ? images : nodes; }
};

class TreeChecker {
 public:
  TreeChecker(const Transaction& transaction, VerifyReport& report, const VerifySinks& sinks)
      : transaction_(transaction), report_(report), sinks_(sinks) {}

  // Adds the keys of the snapshot's own nodes and images to `keys`, which holds those that it may
  // share, all born at or before `boundary`.
  void check(base::Epoch revision, const NodeReference& root, base::Epoch boundary, KeySet& keys);

  void report(base::Epoch revision, std::optional<base::PageNumber> page, std::string what);

 private:
  void check_node(const NodeReference& reference, const base::PageRun& within, unsigned below,
                  base::Epoch parent_birth);
  void check_image(const ImageReference& image, base::PageNumber page, base::Epoch parent_birth);
  bool check_birth(base::Epoch birth, base::Epoch parent_birth, base::PageNumber page);
  // Whether the key is shared with the parent, and need not be read again.
  bool shared(DeadKind kind, std::uint64_t key, base::Epoch birth, base::PageNumber page);
  void progress();

  const Transaction& transaction_;
  VerifyReport& report_;
  const VerifySinks& sinks_;
  base::Epoch revision_;
  base::Epoch boundary_;
  KeySet* keys_ = nullptr;
};

}  // namespace revenant::store
