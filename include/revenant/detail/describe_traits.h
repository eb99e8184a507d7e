// What describe<T>() knows about T without being told: kinds and arguments.
// Included by revenant/describe.h only.
#pragma once

#include <array>
#include <concepts>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace revenant::detail {

template <class... A>
struct type_list {};

template <std::size_t N>
struct member_list {
  member_description items[N];
  [[nodiscard]] constexpr std::span<const member_description> span() const { return items; }
};
template <>
struct member_list<0> {
  struct none {};
  none items{};
  [[nodiscard]] constexpr std::span<const member_description> span() const { return {}; }
};

template <auto Pointer>
struct member_of;
template <class C, class M, M C::*Pointer>
struct member_of<Pointer> {
  using type = M;
};
template <auto Pointer>
using member_type = typename member_of<Pointer>::type;

// A pointer to T that is none to a base of T: a description holds for the type it was given for.
template <class T>
struct pointer_to_just {
  template <class U>
  requires std::same_as<U, T>
  operator const U*() const;
};
template <class T>
concept is_described = requires(pointer_to_just<T> object) {
  { revenant_describe_members(object) } -> std::same_as<std::span<const member_description>>;
};

// The kind and the arguments of the std templates that need no description.
template <type_kind Kind, class... A>
struct kind_is {
  static constexpr type_kind kind = Kind;
  static constexpr bool is_std = true;
  static constexpr bool is_stateless = true;  // holds no allocator or comparator that is something
  using arguments = type_list<A...>;
};
template <type_kind Kind, class Helpers, class... A>
struct kind_with;
template <type_kind Kind, class... H, class... A>
struct kind_with<Kind, type_list<H...>, A...> : kind_is<Kind, A...> {
  static constexpr bool is_stateless = (std::is_empty_v<H> && ...);
};

template <class T>
struct kind_of {
  static constexpr type_kind kind = type_kind::opaque;
  static constexpr bool is_std = false;
  static constexpr bool is_stateless = false;
  using arguments = type_list<>;
};
template <class C, class R, class A>
struct kind_of<std::basic_string<C, R, A>> : kind_with<type_kind::string, type_list<R, A>, C> {};
template <class T, class A>
struct kind_of<std::vector<T, A>> : kind_with<type_kind::sequence, type_list<A>, T> {};
template <class T, class A>
struct kind_of<std::deque<T, A>> : kind_with<type_kind::sequence, type_list<A>, T> {};
template <class T, class A>
struct kind_of<std::list<T, A>> : kind_with<type_kind::sequence, type_list<A>, T> {};
template <class T, class A>
struct kind_of<std::forward_list<T, A>> : kind_with<type_kind::sequence, type_list<A>, T> {};
template <class K, class C, class A>
struct kind_of<std::set<K, C, A>> : kind_with<type_kind::associative, type_list<C, A>, K> {};
template <class K, class C, class A>
struct kind_of<std::multiset<K, C, A>> : kind_with<type_kind::associative, type_list<C, A>, K> {};
template <class K, class V, class C, class A>
struct kind_of<std::map<K, V, C, A>> : kind_with<type_kind::associative, type_list<C, A>, K, V> {};
template <class K, class V, class C, class A>
struct kind_of<std::multimap<K, V, C, A>>
    : kind_with<type_kind::associative, type_list<C, A>, K, V> {};
template <class K, class H, class E, class A>
struct kind_of<std::unordered_set<K, H, E, A>>
    : kind_with<type_kind::associative, type_list<H, E, A>, K> {};
template <class K, class H, class E, class A>
struct kind_of<std::unordered_multiset<K, H, E, A>>
    : kind_with<type_kind::associative, type_list<H, E, A>, K> {};
template <class K, class V, class H, class E, class A>
struct kind_of<std::unordered_map<K, V, H, E, A>>
    : kind_with<type_kind::associative, type_list<H, E, A>, K, V> {};
template <class K, class V, class H, class E, class A>
struct kind_of<std::unordered_multimap<K, V, H, E, A>>
    : kind_with<type_kind::associative, type_list<H, E, A>, K, V> {};
template <class T>
struct kind_of<std::unique_ptr<T>> : kind_is<type_kind::smart_pointer, T> {};
template <class T>
struct kind_of<std::shared_ptr<T>> : kind_is<type_kind::smart_pointer, T> {};
template <class T>
struct kind_of<std::weak_ptr<T>> : kind_is<type_kind::smart_pointer, T> {};
template <class T>
struct kind_of<std::optional<T>> : kind_is<type_kind::optional, T> {};
template <class... T>
struct kind_of<std::variant<T...>> : kind_is<type_kind::variant, T...> {};
template <class T, std::size_t N>
struct kind_of<std::array<T, N>> : kind_is<type_kind::array, T> {};
template <class A, class B>
struct kind_of<std::pair<A, B>> : kind_is<type_kind::tuple, A, B> {};
template <class... T>
struct kind_of<std::tuple<T...>> : kind_is<type_kind::tuple, T...> {};

template <class T, std::size_t N>
struct kind_of<T[N]> : kind_is<type_kind::array, T> {};
template <class T>
struct kind_of<T*> : kind_is<type_kind::pointer, T> {};
template <class T>
requires std::is_enum_v<T>
struct kind_of<T> : kind_is<type_kind::enumeration, std::underlying_type_t<T>> {
};
template <class T>
requires std::is_arithmetic_v<T>
struct kind_of<T> : kind_is<std::is_same_v<T, bool>       ? type_kind::boolean
                            : std::is_floating_point_v<T> ? type_kind::floating
                            : std::is_signed_v<T>         ? type_kind::signed_integer
                                                          : type_kind::unsigned_integer> {
};

template <class T>
constexpr std::size_t size_or_zero() {
  if constexpr (std::is_pointer_v<T>) {
    return sizeof(void*);
  } else if constexpr (requires { sizeof(T); } && !std::is_void_v<T> && !std::is_function_v<T>) {
    return sizeof(T);
  } else {
    return 0;
  }
}

}  // namespace revenant::detail

#include <revenant/detail/survival.h>

namespace revenant::detail {

// "int" out of "... [with T = int]" and the like.
template <class T>
constexpr std::string_view readable_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t begin = text.find("T = ") + 4;
  std::size_t end = text.find_first_of(';', begin);
  if (end == std::string_view::npos) end = text.rfind(']');
  return text.substr(begin, end - begin);
}

template <class T>
constexpr std::size_t align_or_zero() {
  if constexpr (size_or_zero<T>() != 0) {
    return alignof(T);
  } else {
    return 0;
  }
}

// Incomplete types have no identity, only a name.
template <class T>
const std::type_info* identity_of() {
  if constexpr (size_or_zero<T>() != 0 || std::is_void_v<T> || std::is_function_v<T>) {
    return &typeid(T);
  } else {
    return nullptr;
  }
}

template <class T>
constexpr std::uint32_t flags_of() {
  if constexpr (size_or_zero<T>() == 0) {
    return 0;
  } else {
    return (is_described<T> ? type_is_described : 0u) |
           (std::is_trivially_copyable_v<T> ? type_is_trivially_copyable : 0u) |
           (std::is_polymorphic_v<T> ? type_is_polymorphic : 0u) |
           (own_bytes_survive<T>() ? type_bytes_survive : 0u);
  }
}

template <class... A>
std::span<const type_reference> references(type_list<A...>) {
  static constexpr std::array<type_reference, sizeof...(A)> all{&describe<A>...};
  return all;
}

template <class T>
type_description make_description() {
  using kind = kind_of<T>;
  type_description made{identity_of<T>(),
                        readable_name<T>(),
                        size_or_zero<T>(),
                        align_or_zero<T>(),
                        kind::kind,
                        flags_of<T>(),
                        {},
                        references(typename kind::arguments{})};
  if constexpr (is_described<T>) {
    made.kind = type_kind::record;
    made.members = revenant_describe_members(static_cast<const T*>(nullptr));
  }
  return made;
}

}  // namespace revenant::detail

namespace revenant {

template <class T>
const type_description& describe() {
  if constexpr (std::is_same_v<T, std::remove_cv_t<T>>) {
    static const type_description made = detail::make_description<T>();
    return made;
  } else {
    return describe<std::remove_cv_t<T>>();
  }
}

}  // namespace revenant
