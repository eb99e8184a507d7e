// volatile_scope and named roots.
#include "revenant/memory.h"

#include <string>

#include "objects/allocation_domain.h"
#include "objects/type_closure.h"
#include "runtime/api_support.h"

namespace revenant {

using objects::AllocationDomain;
using runtime::Machine;

volatile_scope::volatile_scope() {
  runtime::GreenThread* self = runtime::current_green_thread();
  if (self != nullptr && self->volatile_depth++ == 0) {
    objects::set_allocation_domain(AllocationDomain::kVolatile);
  }
}

volatile_scope::~volatile_scope() {
  runtime::GreenThread* self = runtime::current_green_thread();
  if (self != nullptr && --self->volatile_depth == 0) {
    objects::set_allocation_domain(AllocationDomain::kPersistent);
  }
}

std::span<const std::byte> map_file(const std::filesystem::path& path) {
  runtime::require_green_thread("map_file");
  const auto view = Machine::instance().mapped_files().map(path);
  if (!view.ok()) runtime::throw_error(view.error());
  return *view;
}

namespace detail {
namespace {

std::uint32_t root_flags(const type_description& description) {
  return objects::survives_upgrade(description) ? std::uint32_t{objects::Root::kSurvivesUpgrade}
                                                : 0;
}

}  // namespace

void* find_root(std::string_view name, const root_type& type) {
  runtime::require_green_thread("find_root");
  Machine& machine = Machine::instance();
  const auto found = machine.roots().find(name);
  if (!found.ok()) {
    if (found.error().code == base::ErrorCode::kNotFound) return nullptr;
    runtime::throw_error(found.error());
  }
  const objects::TypeId wanted = machine.types().register_type(*type.description);
  if (found->type != wanted) {
    throw error(errc::wrong_type, machine.types().describe_mismatch(name, found->type, wanted));
  }
  if (found->destroy == nullptr) machine.roots().set_destroy(name, type.destroy);
  return found->object;
}

void* insert_root(std::string_view name, void* object, std::size_t size, const root_type& type) {
  Machine& machine = Machine::instance();
  const objects::TypeId id = machine.types().register_type(*type.description);
  machine.heap().set_type(object, id);
  const base::Status inserted =
      machine.roots().insert(name, {.object = object,
                                    .bytes = size,
                                    .type = id,
                                    .flags = root_flags(*type.description),
                                    .destroy = type.destroy});
  if (inserted.ok()) return object;
  if (inserted.error().code == base::ErrorCode::kNameTaken) return find_root(name, type);
  runtime::throw_error(inserted.error());
}

bool erase_root(std::string_view name) {
  runtime::require_green_thread("erase_root");
  Machine& machine = Machine::instance();
  const auto found = machine.roots().find(name);
  if (!found.ok()) {
    if (found.error().code == base::ErrorCode::kNotFound) return false;
    runtime::throw_error(found.error());
  }
  if (found->destroy == nullptr) {
    throw error(
        errc::another_build,
        "the root '" + std::string(name) +
            "' was made by another build, and how to destroy "
            "it is not known before this one has looked it up; call find_root with its type first");
  }
  const auto erased = machine.roots().erase(name);
  if (!erased.ok()) return false;  // by another thread, meanwhile
  erased->destroy(erased->object);
  return true;
}

}  // namespace detail
}  // namespace revenant
