// Whether the bytes of a type mean the same to another build of the program.
//
// Addresses of code do not: a vtable's, a function's, a member pointer's. This header judges what a
// type holds itself; its members and arguments, also those behind pointers, are judged by their own
// descriptions.
// Included by revenant/detail/describe_traits.h only.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace revenant::detail {

template <class T>
constexpr bool holds_code();

// Stand for any value, and for one that holds the address of code, where an aggregate is begun.
struct any_value {
  template <class T>
  operator T() const;
};
struct code_value {
  template <class T>
  requires(holds_code<T>()) operator T() const;
};

template <class T, class Before>
inline constexpr bool takes_code_after = false;
template <class T, std::size_t... I>
inline constexpr bool takes_code_after<T, std::index_sequence<I...>> = requires {
  T{(static_cast<void>(I), any_value{})..., code_value{}};
};

// Looks at as many of an aggregate's elements as this.
inline constexpr std::size_t kElementsLookedAt = 24;

template <class T, std::size_t... I>
constexpr bool any_element_holds_code(std::index_sequence<I...>) {
  return (takes_code_after<T, std::make_index_sequence<I>> || ...);
}

template <class... A>
constexpr bool any_holds_code(type_list<A...>) {
  return (holds_code<std::remove_cv_t<A>>() || ...);
}

// As far as it can be known: constructors hide what a class is made of.
template <class T>
constexpr bool holds_code() {
  if constexpr (std::is_pointer_v<T>) {
    using Target = std::remove_pointer_t<T>;
    if constexpr (std::is_function_v<Target>) {
      return true;
    } else if constexpr (std::is_class_v<Target> && size_or_zero<Target>() != 0) {
      return std::is_polymorphic_v<Target>;
    } else {
      return false;
    }
  } else if constexpr (std::is_member_pointer_v<T>) {
    return true;
  } else if constexpr (kind_of<T>::is_std) {
    return any_holds_code(typename kind_of<T>::arguments{});
  } else if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
    return any_element_holds_code<T>(std::make_index_sequence<kElementsLookedAt>{});
  } else {
    return false;
  }
}

template <class T>
inline constexpr bool has_control_block = false;
template <class T>
inline constexpr bool has_control_block<std::shared_ptr<T>> = true;
template <class T>
inline constexpr bool has_control_block<std::weak_ptr<T>> = true;

// What T's own bytes are, apart from what its description lists.
template <class T>
constexpr bool own_bytes_survive() {
  using U = std::remove_cv_t<T>;
  if constexpr (size_or_zero<U>() == 0 || std::is_polymorphic_v<U> || has_control_block<U>) {
    return false;
  } else if constexpr (is_described<U>) {
    return true;
  } else if constexpr (std::is_pointer_v<U>) {
    return !std::is_function_v<std::remove_pointer_t<U>>;
  } else if constexpr (kind_of<U>::is_std) {
    return kind_of<U>::is_stateless;
  } else {
    return std::is_trivially_copyable_v<U> && !holds_code<U>();
  }
}

}  // namespace revenant::detail
