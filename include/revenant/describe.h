// Descriptions of types, so that objects can be printed and checked by programs that never saw
// them.
//
//   struct point { int x, y; };
//   REVENANT_DESCRIBE(point, x, y)          // at namespace scope; public members; at most 64
//
// Arithmetic types, enumerations, pointers, std's containers, strings, smart pointers, optional,
// variant, array, pair and tuple need nothing. describe<T>() gives the description of any T; one
// that says nothing more than size and name is of kind `opaque`.
#pragma once

#include <revenant/detail/describe_macro.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <typeinfo>

namespace revenant {

enum class type_kind : std::uint32_t {
  opaque,
  boolean,
  signed_integer,
  unsigned_integer,
  floating,
  enumeration,    // argument: the underlying type
  pointer,        // argument: what it points to
  record,         // members
  array,          // argument: the element; count = size / the element's
  string,         // std::basic_string; argument: the character
  sequence,       // vector, deque, list, ...; argument: the element
  associative,    // set, map, ...; arguments: key, and the value of maps
  smart_pointer,  // unique_ptr, shared_ptr, weak_ptr; argument: the element
  optional,       // argument: the value
  variant,        // arguments: the alternatives
  tuple,          // pair and tuple; arguments: the elements
};

// Of type_description::flags.
enum type_flags : std::uint32_t {
  type_is_described = 1,           // by REVENANT_DESCRIBE
  type_is_trivially_copyable = 2,  // its bytes are its value
  type_is_polymorphic = 4,         // has a vtable, which another build has elsewhere
  type_bytes_survive = 8,          // another build may take them over, if it may what they lead to
};

struct type_description;
// By function, since descriptions of recursive types refer to each other.
using type_reference = const type_description& (*)();

struct member_description {
  const char* name;
  std::size_t offset;
  std::size_t size;
  type_reference type;
};

struct type_description {
  const std::type_info* identity;  // null for incomplete types
  std::string_view readable_name;
  std::size_t size;  // 0 for void and incomplete types
  std::size_t align;
  type_kind kind;
  std::uint32_t flags;
  std::span<const member_description> members;
  std::span<const type_reference> arguments;
};

template <class T>
const type_description& describe();

}  // namespace revenant

#include <revenant/detail/describe_traits.h>

// Defines the description of T's listed members; found by argument-dependent look-up. A semicolon
// may follow.
#define REVENANT_DESCRIBE(T, ...)                                                                 \
  [[maybe_unused]] inline std::span<const ::revenant::member_description>                         \
  revenant_describe_members(const T*) {                                                           \
    using revenant_described [[maybe_unused]] = T;                                                \
    REVENANT_DETAIL_OFFSETS_BEGIN                                                                 \
    static constexpr ::revenant::detail::member_list<REVENANT_DETAIL_COUNT(__VA_ARGS__)> members{ \
        {__VA_OPT__(REVENANT_DETAIL_EACH(REVENANT_DETAIL_MEMBER, __VA_ARGS__))}};                 \
    REVENANT_DETAIL_OFFSETS_END                                                                   \
    return members.span();                                                                        \
  }
