// Named objects: how a program finds its own memory again.
//
//   ""  --+-- "accounts" --+-- "alice"  -> object
//         |                +-- "bob"    -> object
//         +-- "config"     -> object
//
// Names are components joined by '/'; each component is an entry in the treap of its directory, so
// that a look-up costs the logarithm of each directory on the way. An entry may hold an object, be
// a directory, or both.
//
// I1  An entry without an object has children: directories vanish with their last entry.
// I2  A name stands for at most one object; its type never changes while it stands.
// I3  for_each visits names in bytewise order of their components, a directory before its contents.
//
// Threads and locks: all state is persistent, guarded by the volatile lock of rank kRoots. Objects
// are constructed and destroyed by the caller, outside the lock.
// Errors: kUsage for a name that is none, kNameTaken, kWrongType, kNotFound; each a sentence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/lock.h"
#include "base/result.h"
#include "objects/root_state.h"

namespace revenant::objects {

struct World;
class Heap;

// What a name stands for.
struct Root {
  enum Flags : std::uint32_t {
    kSurvivesUpgrade = 1,  // objects/type_closure.h
  };

  void* object = nullptr;
  std::uint64_t bytes = 0;
  TypeId type = kUnknownType;
  std::uint32_t flags = 0;
  void (*destroy)(void* object) = nullptr;
};

class Roots {
 public:
  static constexpr std::size_t kMaxNameBytes = 1024;

  Roots(World& world, Heap& heap);

  // What is wrong with `name`, or nothing: empty, too long, an empty component.
  static base::Status check_name(std::string_view name);

  // kNotFound if nothing stands there, an error if `name` is no name.
  [[nodiscard]] base::Result<Root> find(std::string_view name) const;

  // kNameTaken if an object stands there already.
  base::Status insert(std::string_view name, const Root& root);

  // Gives what `name` stands for the destructor of this build; nothing if nothing stands there.
  void set_destroy(std::string_view name, void (*destroy)(void* object));

  // Takes the name away and hands back what it stood for; the caller destroys it.
  base::Result<Root> erase(std::string_view name);

  // All objects, in order, under the lock: `visit` must not call back.
  void for_each(base::FunctionRef<void(std::string_view name, const Root& root)> visit) const;

  [[nodiscard]] std::uint64_t count() const;
  // Walks everything; the first broken invariant is named.
  [[nodiscard]] base::Status check_invariants() const;

 private:
  RootEntry* locate(std::string_view name) const REVENANT_REQUIRES(lock_);
  RootEntry* make_entry(RootEntry* parent, std::string_view component) REVENANT_REQUIRES(lock_);
  void drop_empty(RootEntry* entry) REVENANT_REQUIRES(lock_);

  RootState& state_;
  Heap& heap_;
  mutable base::Lock lock_{base::LockRank::kRoots};
};

}  // namespace revenant::objects
