#include "objects/roots.h"

#include <cstring>
#include <new>

#include "objects/heap.h"
#include "objects/world.h"

namespace revenant::objects {
namespace {

using Directory = Treap<RootEntry, &RootEntry::links, RootOrder>;

// Takes the first component off `rest`.
std::string_view next_component(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view component = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return component;
}

Root root_of(const RootEntry& entry) {
  return {.object = entry.object,
          .bytes = entry.object_bytes,
          .type = entry.type,
          .flags = entry.flags,
          .destroy = entry.destroy};
}

std::string quoted(std::string_view name) { return "root \"" + std::string(name) + "\""; }

void visit_all(RootEntry* directory, std::string& name,
               base::FunctionRef<void(std::string_view, const Root&)> visit) {
  Directory entries(directory);
  const std::size_t prefix = name.size();
  for (RootEntry* entry = entries.first(); entry != nullptr;
       entry = entries.first_after(entry->name())) {
    name.append(entry->name());
    if (entry->object != nullptr) visit(name, root_of(*entry));
    name.push_back('/');
    visit_all(entry->children, name, visit);
    name.resize(prefix);
  }
}

// Null if all is well below `directory`; counts the objects it meets.
const char* fault_below(RootEntry* directory, const RootEntry* parent, std::uint64_t& objects) {
  Directory entries(directory);
  const RootEntry* before = nullptr;
  for (RootEntry* entry = entries.first(); entry != nullptr;
       before = entry, entry = entries.first_after(entry->name())) {
    if (entry->name().empty()) return "a component is empty";
    if (before != nullptr && !(before->name() < entry->name())) return "components out of order";
    if (entry->parent != parent) return "a component does not know its directory";
    if (entry->object == nullptr && entry->children == nullptr) return "an empty directory";  // I1
    objects += entry->object != nullptr ? 1 : 0;
    if (const char* what = fault_below(entry->children, entry, objects); what != nullptr) {
      return what;
    }
  }
  return nullptr;
}

}  // namespace

Roots::Roots(World& world, Heap& heap) : state_(world.roots), heap_(heap) {}

base::Status Roots::check_name(std::string_view name) {
  const auto refuse = [name](const char* why) -> base::Status {
    return base::Error{base::ErrorCode::kUsage, quoted(name.substr(0, 80)) + ": " + why};
  };
  if (name.empty()) return refuse("a name is empty; give it at least one character");
  if (name.size() > kMaxNameBytes) {
    return refuse("a name of more than 1024 bytes; shorten it, or use directories of your own");
  }
  if (name.front() == '/') return refuse("names do not begin with '/'; leave the first one out");
  for (std::string_view rest = name; !rest.empty();) {
    if (next_component(rest).empty()) return refuse("an empty component between two '/'");
  }
  if (name.back() == '/') return refuse("names do not end with '/'; name the object in it");
  if (name.find('\0') != std::string_view::npos) return refuse("a zero byte within the name");
  return {};
}

RootEntry* Roots::locate(std::string_view name) const {
  RootEntry* directory = state_.top;
  RootEntry* entry = nullptr;
  while (!name.empty()) {
    entry = Directory(directory).find(next_component(name));
    if (entry == nullptr) return nullptr;
    directory = entry->children;
  }
  return entry;
}

base::Result<Root> Roots::find(std::string_view name) const {
  REVENANT_TRY(check_name(name));
  base::LockGuard guard(lock_);
  const RootEntry* entry = locate(name);
  if (entry == nullptr || entry->object == nullptr) {
    return base::Error{base::ErrorCode::kNotFound, quoted(name) + " does not exist"};
  }
  return root_of(*entry);
}

RootEntry* Roots::make_entry(RootEntry* parent, std::string_view component) {
  void* memory = heap_.allocate(sizeof(RootEntry) + component.size());
  if (memory == nullptr) return nullptr;
  auto* entry = new (memory) RootEntry{};
  entry->parent = parent;
  entry->name_bytes = static_cast<std::uint32_t>(component.size());
  std::memcpy(static_cast<void*>(entry + 1), component.data(), component.size());
  Directory(parent == nullptr ? state_.top : parent->children).insert(*entry);
  return entry;
}

base::Status Roots::insert(std::string_view name, const Root& root) {
  REVENANT_TRY(check_name(name));
  REVENANT_CHECK(root.object != nullptr);
  base::LockGuard guard(lock_);
  RootEntry* entry = nullptr;
  for (std::string_view rest = name; !rest.empty();) {
    RootEntry* directory = entry == nullptr ? state_.top : entry->children;
    const std::string_view component = next_component(rest);
    RootEntry* next = Directory(directory).find(component);
    if (next == nullptr) next = make_entry(entry, component);
    if (next == nullptr) {
      if (entry != nullptr) drop_empty(entry);
      return base::Error{base::ErrorCode::kNoSpace,
                         quoted(name) + ": the heap is exhausted; free something first"};
    }
    entry = next;
  }
  if (entry->object != nullptr) {  // I2
    return base::Error{base::ErrorCode::kNameTaken,
                       quoted(name) + " exists already; erase it first, or choose another name"};
  }
  entry->object = root.object;
  entry->object_bytes = root.bytes;
  entry->type = root.type;
  entry->flags = root.flags;
  entry->destroy = root.destroy;
  ++state_.count;
  return {};
}

void Roots::set_destroy(std::string_view name, void (*destroy)(void* object)) {
  const base::LockGuard guard(lock_);
  if (RootEntry* entry = locate(name); entry != nullptr) entry->destroy = destroy;
}

base::Result<Root> Roots::erase(std::string_view name) {
  REVENANT_TRY(check_name(name));
  base::LockGuard guard(lock_);
  RootEntry* entry = locate(name);
  if (entry == nullptr || entry->object == nullptr) {
    return base::Error{base::ErrorCode::kNotFound, quoted(name) + " does not exist"};
  }
  const Root root = root_of(*entry);
  entry->object = nullptr;
  --state_.count;
  drop_empty(entry);
  return root;
}

// Removes `entry` and the directories above it as far as they hold nothing any more. I1
void Roots::drop_empty(RootEntry* entry) {
  while (entry != nullptr && entry->object == nullptr && entry->children == nullptr) {
    RootEntry* parent = entry->parent;
    Directory(parent == nullptr ? state_.top : parent->children).erase(*entry);
    heap_.free(entry);
    entry = parent;
  }
}

void Roots::for_each(base::FunctionRef<void(std::string_view, const Root&)> visit) const {
  base::LockGuard guard(lock_);
  std::string name;
  visit_all(state_.top, name, visit);
}

std::uint64_t Roots::count() const {
  base::LockGuard guard(lock_);
  return state_.count;
}

base::Status Roots::check_invariants() const {
  base::LockGuard guard(lock_);
  std::uint64_t objects = 0;
  const char* what = fault_below(state_.top, nullptr, objects);
  if (what == nullptr && objects != state_.count) what = "the count of objects is wrong";
  if (what == nullptr) return {};
  return base::Error{base::ErrorCode::kStoreDamaged, std::string("named roots: ") + what};
}

}  // namespace revenant::objects
