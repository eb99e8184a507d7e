// The types of a store's objects, kept so that they outlive the program.
//
// I1  An id never changes its meaning: a type gets another id under the same name if its layout
//     changed, or that of anything its objects lead to. Ids rise from 1.
// I2  register_type with the same name and layout gives the same id, in any process.
//
// Threads and locks: registration under the volatile lock of rank kRoots; find by id takes no lock.
// Errors: describe_mismatch() makes the sentence for "another type under this name".
#pragma once

#include <revenant/describe.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/lock.h"
#include "objects/type_state.h"

namespace revenant::objects {

struct World;
class Heap;

class Types {
 public:
  Types(World& world, Heap& heap);

  // The id of `description`, a new one if this layout was never seen. Registers the types of
  // members and arguments too.
  TypeId register_type(const type_description& description);

  template <class T>
  TypeId register_type() {
    return register_type(describe<T>());
  }

  // Null for kUnknownType and for ids never given.
  [[nodiscard]] const TypeRecord* find(TypeId id) const;
  // The newest layout under a mangled name, or null.
  [[nodiscard]] const TypeRecord* find_by_name(std::string_view mangled) const;
  void for_each(base::FunctionRef<void(const TypeRecord&)> visit) const;

  // A sentence: what `name` holds, and what was asked for, or what has changed inside of it.
  [[nodiscard]] std::string describe_mismatch(std::string_view name, TypeId held,
                                              TypeId wanted) const;

 private:
  struct LayoutChange {
    const TypeRecord* held;
    const TypeRecord* wanted;
  };

  std::optional<LayoutChange> find_change(const TypeRecord& held, const TypeRecord& wanted,
                                          std::vector<TypeId>& seen) const;
  TypeId register_locked(const type_description& type) REVENANT_REQUIRES(lock_);
  TypeRecord* find_layout(std::string_view mangled, std::uint64_t layout_hash) const;
  void publish(TypeRecord& record) REVENANT_REQUIRES(lock_);
  template <class T>
  T* make_array(std::size_t count) REVENANT_REQUIRES(lock_);
  PersistentText keep(std::string_view text) REVENANT_REQUIRES(lock_);

  TypeState& state_;
  Heap& heap_;
  mutable base::Lock lock_{base::LockRank::kRoots};
};

}  // namespace revenant::objects
