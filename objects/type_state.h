// The persistent side of the type table. objects/types.h works on it, under its lock; find() by id
// takes none.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace revenant::objects {

// A type's number in its store. Never used twice in a store's life.
using TypeId = std::uint32_t;
inline constexpr TypeId kUnknownType = 0;

// A string in the persistent heap.
struct PersistentText {
  const char* text;
  std::uint32_t bytes;
  [[nodiscard]] std::string_view view() const { return {text, bytes}; }
};

struct TypeMember {
  PersistentText name;
  std::uint64_t offset;
  std::uint64_t size;
  TypeId type;
};

// What is kept of a type so that a tool can print its objects and another build can compare it.
struct TypeRecord {
  TypeId id;
  std::uint32_t kind;   // revenant::type_kind
  std::uint32_t flags;  // revenant::type_flags
  std::uint32_t member_count;
  std::uint32_t argument_count;
  std::uint64_t size;
  std::uint64_t align;
  std::uint64_t layout_hash;  // of all that objects of the type lead to
  PersistentText name;        // as the C++ ABI mangles it
  PersistentText readable;    // as a person writes it
  const TypeMember* members;
  const TypeId* arguments;  // element types of containers, pointers and the like
  TypeRecord* next_in_bucket;
};

struct TypeState {
  static constexpr std::size_t kBuckets = 128;
  static constexpr std::size_t kChunkTypes = 256;
  static constexpr std::size_t kChunks = 128;
  // A chunk is an array of kChunkTypes pointers to records, so that ids resolve without a lock.
  using Chunk = std::atomic<TypeRecord*>;

  TypeId last_id;
  TypeRecord* buckets[kBuckets];
  std::atomic<Chunk*> chunks[kChunks];
};

}  // namespace revenant::objects
