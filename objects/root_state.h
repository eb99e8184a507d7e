// The persistent side of the named roots: a tree of directories, each a treap of entries by name.
// objects/roots.h works on it, under its lock.
#pragma once

#include <cstdint>
#include <string_view>

#include "objects/treap.h"
#include "objects/type_state.h"

namespace revenant::objects {

struct RootEntry;

// Entries by name, bytewise.
struct RootOrder {
  static std::string_view key(const RootEntry& entry);
};

// One component of a name: a root, a directory of further components, or both ("a" and "a/b").
struct RootEntry {
  TreapLinks<RootEntry> links;
  RootEntry* parent;    // null at the top
  RootEntry* children;  // the root of the treap of the components below
  void* object;         // null for a mere directory
  std::uint64_t object_bytes;
  void (*destroy)(void* object);  // null when there is nothing to run
  TypeId type;
  std::uint32_t flags;
  std::uint32_t name_bytes;
  // name_bytes characters follow
  [[nodiscard]] std::string_view name() const {
    return {reinterpret_cast<const char*>(this + 1), name_bytes};
  }
};

inline std::string_view RootOrder::key(const RootEntry& entry) { return entry.name(); }

struct RootState {
  RootEntry* top;  // the root of the treap of first components
  std::uint64_t count;
};

}  // namespace revenant::objects
