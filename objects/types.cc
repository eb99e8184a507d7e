#include "objects/types.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <tuple>

#include "base/check.h"
#include "objects/heap.h"
#include "objects/type_closure.h"
#include "objects/world.h"

namespace revenant::objects {
namespace {

// FNV-1a: ids of layouts must come out the same in every build, so nothing of std's will do.
class LayoutHash {
 public:
  LayoutHash& add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    return add(text.size());
  }
  LayoutHash& add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) add_byte(number >> shift & 0xff);
    return *this;
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  void add_byte(std::uint64_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  std::uint64_t value_ = 0xcbf29ce484222325;
};

std::string_view mangled_name(const type_description& type) {
  return type.identity != nullptr ? std::string_view(type.identity->name()) : type.readable_name;
}

void add_own_layout(LayoutHash& hash, const type_description& type) {
  hash.add(type.size).add(type.align).add(static_cast<std::uint64_t>(type.kind)).add(type.flags);
  hash.add(type.members.size()).add(type.arguments.size());
  for (const member_description& member : type.members) {
    hash.add(member.name).add(member.offset).add(member.size).add(mangled_name(member.type()));
  }
  for (const type_reference argument : type.arguments) hash.add(mangled_name(argument()));
}

// Of all that objects of the type lead to: who finds one by a container or a pointer reads it too.
std::uint64_t layout_hash(const type_description& type) {
  LayoutHash hash;
  for (const type_description* each : type_closure(type)) add_own_layout(hash, *each);
  return hash.value();
}

bool same_but_for_parts(const TypeRecord& held, const TypeRecord& wanted) {
  const auto numbers = [](const TypeRecord& record) {
    return std::tuple(record.kind, record.flags, record.size, record.align, record.member_count,
                      record.argument_count);
  };
  const auto same_place = [](const TypeMember& a, const TypeMember& b) {
    return a.name.view() == b.name.view() && a.offset == b.offset && a.size == b.size;
  };
  return numbers(held) == numbers(wanted) &&
         std::equal(held.members, held.members + held.member_count, wanted.members, same_place);
}

std::size_t bucket_of(std::string_view mangled) {
  return LayoutHash().add(mangled).value() % TypeState::kBuckets;
}

}  // namespace

Types::Types(World& world, Heap& heap) : state_(world.types), heap_(heap) {}

TypeId Types::register_type(const type_description& description) {
  base::LockGuard guard(lock_);
  return register_locked(description);
}

TypeRecord* Types::find_layout(std::string_view mangled, std::uint64_t layout_hash) const {
  TypeRecord* record = state_.buckets[bucket_of(mangled)];
  while (record != nullptr &&
         (record->layout_hash != layout_hash || record->name.view() != mangled)) {
    record = record->next_in_bucket;
  }
  return record;
}

// Exhaustion ends the program: types are registered as it starts.
template <class T>
T* Types::make_array(std::size_t count) {
  if (count == 0) return nullptr;
  void* memory = heap_.allocate_zeroed(count * sizeof(T));
  REVENANT_CHECK(memory != nullptr, "the heap is exhausted: no room to describe a type");
  return static_cast<T*>(memory);
}

// The record is published before its members are registered: a type may contain itself behind a
// pointer.
TypeId Types::register_locked(const type_description& type) {
  const std::string_view mangled = mangled_name(type);
  const std::uint64_t hash = layout_hash(type);
  if (const TypeRecord* known = find_layout(mangled, hash); known != nullptr) return known->id;
  auto* record = make_array<TypeRecord>(1);
  record->kind = static_cast<std::uint32_t>(type.kind);
  record->flags = type.flags;
  record->size = type.size;
  record->align = type.align;
  record->layout_hash = hash;
  record->name = keep(mangled);
  record->readable = keep(type.readable_name);
  publish(*record);

  auto* members = make_array<TypeMember>(type.members.size());
  for (const member_description& member : type.members) {
    members[record->member_count++] = {.name = keep(member.name),
                                       .offset = member.offset,
                                       .size = member.size,
                                       .type = register_locked(member.type())};
  }
  record->members = members;
  auto* arguments = make_array<TypeId>(type.arguments.size());
  for (const type_reference argument : type.arguments) {
    arguments[record->argument_count++] = register_locked(argument());
  }
  record->arguments = arguments;
  return record->id;
}

void Types::publish(TypeRecord& record) {
  record.id = ++state_.last_id;
  const std::size_t chunk = record.id / TypeState::kChunkTypes;
  REVENANT_CHECK(chunk < TypeState::kChunks, "more than %zu types in a store",
                 TypeState::kChunks * TypeState::kChunkTypes);
  TypeState::Chunk* slots = state_.chunks[chunk].load(std::memory_order_relaxed);
  if (slots == nullptr) {
    slots = make_array<TypeState::Chunk>(TypeState::kChunkTypes);
    state_.chunks[chunk].store(slots, std::memory_order_release);
  }
  slots[record.id % TypeState::kChunkTypes].store(&record, std::memory_order_release);
  TypeRecord*& bucket = state_.buckets[bucket_of(record.name.view())];
  record.next_in_bucket = bucket;
  bucket = &record;
}

PersistentText Types::keep(std::string_view text) {
  char* kept = make_array<char>(text.size() + 1);
  std::memcpy(kept, text.data(), text.size());
  return {kept, static_cast<std::uint32_t>(text.size())};
}

const TypeRecord* Types::find(TypeId id) const {
  const std::size_t chunk = id / TypeState::kChunkTypes;
  if (id == kUnknownType || chunk >= TypeState::kChunks) return nullptr;
  const TypeState::Chunk* slots = state_.chunks[chunk].load(std::memory_order_acquire);
  if (slots == nullptr) return nullptr;
  return slots[id % TypeState::kChunkTypes].load(std::memory_order_acquire);
}

const TypeRecord* Types::find_by_name(std::string_view mangled) const {
  base::LockGuard guard(lock_);
  const TypeRecord* record = state_.buckets[bucket_of(mangled)];
  while (record != nullptr && record->name.view() != mangled) record = record->next_in_bucket;
  return record;  // newer ones stand first
}

void Types::for_each(base::FunctionRef<void(const TypeRecord&)> visit) const {
  for (TypeId id = 1;; ++id) {
    const TypeRecord* record = find(id);
    if (record == nullptr) return;
    visit(*record);
  }
}

std::string Types::describe_mismatch(std::string_view name, TypeId held, TypeId wanted) const {
  const TypeRecord* is = find(held);
  const TypeRecord* want = find(wanted);
  const auto readable = [](const TypeRecord* record) {
    return record == nullptr ? std::string("a type that is not described")
                             : std::string(record->readable.view());
  };
  const std::string text = "root \"" + std::string(name) + "\" holds " + readable(is);
  if (is == nullptr || want == nullptr || is->name.view() != want->name.view()) {
    return text + ", not " + readable(want) + "; ask for the type it holds, or erase it first";
  }
  std::vector<TypeId> seen;
  const LayoutChange change = find_change(*is, *want, seen).value_or(LayoutChange{is, want});
  return text + ", and another build laid " + readable(change.held) + " out otherwise (" +
         std::to_string(change.held->size) + " bytes there, " +
         std::to_string(change.wanted->size) +
         " here); keep that layout, or give the new one another name";
}

// The outermost type whose own layout differs.
std::optional<Types::LayoutChange> Types::find_change(const TypeRecord& held,
                                                      const TypeRecord& wanted,
                                                      std::vector<TypeId>& seen) const {
  if (held.id == wanted.id || std::ranges::find(seen, held.id) != seen.end()) return {};
  seen.push_back(held.id);
  if (!same_but_for_parts(held, wanted)) return LayoutChange{&held, &wanted};
  const auto change_of = [&](TypeId part, TypeId wanted_part) -> std::optional<LayoutChange> {
    const TypeRecord& is = *find(part);
    const TypeRecord& want = *find(wanted_part);
    if (is.name.view() != want.name.view()) return LayoutChange{&held, &wanted};
    return find_change(is, want, seen);
  };
  std::optional<LayoutChange> found;
  for (std::uint32_t i = 0; !found && i < held.member_count; ++i) {
    found = change_of(held.members[i].type, wanted.members[i].type);
  }
  for (std::uint32_t i = 0; !found && i < held.argument_count; ++i) {
    found = change_of(held.arguments[i], wanted.arguments[i]);
  }
  return found;
}

}  // namespace revenant::objects
