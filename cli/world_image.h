// What the runtime and the objects keep in a snapshot's world, read out of a dead image.
//
// Errors: kStoreDamaged where the image does not hold together (image.h); kAnotherFormat when
// another layout wrote it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/image.h"
#include "objects/world.h"
#include "runtime/threads/thread_record.h"

namespace revenant::cli {

// A named root, or one component of many names.
struct RootImage {
  std::string name;  // in full, with its directories
  std::uint64_t address;
  std::uint64_t bytes;
  std::string type;  // as a person writes it; "?" if the store does not say
};

class WorldImage {
 public:
  explicit WorldImage(const ImageSource& source) : reader_(source) {}

  // Each thread, in the order in which they are kept.
  [[nodiscard]] base::Result<std::vector<Held<runtime::ThreadRecord>>> threads() const;
  // Each named object, in the order of names.
  [[nodiscard]] base::Result<std::vector<RootImage>> roots() const;

 private:
  // A tree of names still to be walked, below `directory`.
  struct PendingTree {
    const objects::RootEntry* top;
    std::string directory;
  };

  [[nodiscard]] base::Result<Held<objects::World>> world() const;
  // The root at the top of `tree`, if it is more than a directory; what lies below goes to
  // `pending`.
  [[nodiscard]] base::Result<std::optional<RootImage>> read_root(
      const PendingTree& tree, const objects::TypeState& types,
      std::vector<PendingTree>& pending) const;
  [[nodiscard]] base::Result<std::string> type_name(const objects::TypeState& types,
                                                    objects::TypeId id) const;

  const ImageReader reader_;
};

}  // namespace revenant::cli
