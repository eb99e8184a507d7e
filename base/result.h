// Expected failure as a value.
//
// A function that can fail for a reason its caller must deal with (a full disk, a damaged record, a
// store in use) returns Result<T>; a bug is a CHECK (check.h). The error carries a code, for the
// caller to decide by, and one sentence, for a person: the thing, the cause and the way out.
#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace revenant::base {

enum class ErrorCode {
  // These are public, as revenant::errc, in the same order.
  kStoreInUse,
  kStoreDamaged,
  kNotAStore,
  kAnotherProgram,
  kAnotherBuild,
  kUnsupportedHost,
  kNoSuchRevision,
  kNoSpace,
  kWrongType,
  kNameTaken,
  kNotInGreenThread,
  kDeadlock,
  kIoFailed,
  // These stay inside the house.
  kUsage,
  kNotFound,
  kAnotherFormat,
};

struct Error {
  ErrorCode code;
  std::string message;
};

// Holds a T or an Error. Reading the side that is not there is a bug, and prints the error.
template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T> && !std::is_same_v<T, Error>);

 public:
  // Implicit, so that a function returns its value, or what converts to it, as it is.
  template <class U = T>
  requires std::convertible_to<U&&, T> &&(!std::same_as<std::remove_cvref_t<U>, Result>)&&(
      !std::same_as<std::remove_cvref_t<U>, Error>)Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return check_ok(), *std::get_if<0>(&state_); }
  const T& value() const& { return check_ok(), *std::get_if<0>(&state_); }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    REVENANT_CHECK(!ok(), "the error of a result that has none");
    return *std::get_if<1>(&state_);
  }
  Error&& error() && { return std::move(const_cast<Error&>(error())); }

 private:
  void check_ok() const {
    REVENANT_CHECK(ok(), "the value of a failed result: %s", error().message.c_str());
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }

  const Error& error() const& {
    REVENANT_CHECK(!ok_, "the error of a result that has none");
    return error_;
  }
  Error&& error() && { return std::move(const_cast<Error&>(error())); }

 private:
  Error error_{};
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace revenant::base

// Hands the error of `expression` to the caller; goes on when there is none.
#define REVENANT_TRY(expression)                                      \
  do {                                                                \
    if (auto revenant_status = (expression); !revenant_status.ok()) { \
      return std::move(revenant_status).error();                      \
    }                                                                 \
  } while (false)

#define REVENANT_CONCAT_INNER(a, b) a##b
#define REVENANT_CONCAT(a, b) REVENANT_CONCAT_INNER(a, b)

// Binds the value of `expression` to `declaration`, or hands its error to the caller.
#define REVENANT_ASSIGN(declaration, expression) \
  REVENANT_ASSIGN_INNER(REVENANT_CONCAT(revenant_result_, __LINE__), declaration, expression)
#define REVENANT_ASSIGN_INNER(result, declaration, expression) \
  auto result = (expression);                                  \
  if (!result.ok()) return std::move(result).error();          \
  declaration = std::move(result).value()
