// Expected failure as a value.
//
// A function that can fail for a reason its caller must deal with (a full disk, a damaged record, a
// store in use) returns Result<T>; a bug is a CHECK (check.h). The error carries a code, for the
// caller to decide by, and one sentence, for a person: the thing, the cause and the way out.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace revenant::base {

// The public errc mirrors the first block; the rest stays inside the house.
enum class ErrorCode {
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
  kUsage,
  kNotFound,
  kAnotherFormat,
};

struct Error {
  ErrorCode code;
  std::string message;
};

// Holds a T or an Error. Reading the side that is not there is a CHECK.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    REVENANT_CHECK(ok(), "value of a failed result: %s", error().message.c_str());
    return std::get<0>(state_);
  }
  const T& value() const& { return const_cast<Result*>(this)->value(); }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { return error_; }

 private:
  Error error_{};
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace revenant::base

// Hands the error of `expression` to the caller; goes on when there is none.
#define REVENANT_TRY(expression)                                       \
  do {                                                                 \
    if (auto revenant_status = (expression); !revenant_status.ok()) {  \
      return revenant_status.error();                                  \
    }                                                                  \
  } while (false)

#define REVENANT_CONCAT_INNER(a, b) a##b
#define REVENANT_CONCAT(a, b) REVENANT_CONCAT_INNER(a, b)

// Binds the value of `expression` to `declaration`, or hands its error to the caller.
#define REVENANT_ASSIGN(declaration, expression) \
  REVENANT_ASSIGN_INNER(REVENANT_CONCAT(revenant_result_, __LINE__), declaration, expression)
#define REVENANT_ASSIGN_INNER(result, declaration, expression) \
  auto result = (expression);                                  \
  if (!result.ok()) return result.error();                     \
  declaration = std::move(result).value()
