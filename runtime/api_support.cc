#include "runtime/api_support.h"

#include <stdexcept>

#include "base/exit_code.h"

namespace revenant::runtime {

GreenThread* current_green_thread() {
  const Worker* worker = Worker::of_this_thread();
  return worker == nullptr ? nullptr : worker->current();
}

GreenThread& require_green_thread(const char* what) {
  GreenThread* current = current_green_thread();
  if (current == nullptr) {
    throw error(errc::not_in_green_thread,
                std::string(what) +
                    " was called outside green threads; call it from main's "
                    "function or a revenant::thread");
  }
  return *current;
}

void throw_error(const base::Error& failure) {
  using base::ErrorCode;
  switch (failure.code) {
    case ErrorCode::kStoreInUse:
      throw error(errc::store_in_use, failure.message);
    case ErrorCode::kStoreDamaged:
      throw error(errc::store_damaged, failure.message);
    case ErrorCode::kNotAStore:
      throw error(errc::not_a_store, failure.message);
    case ErrorCode::kAnotherProgram:
      throw error(errc::another_program, failure.message);
    case ErrorCode::kAnotherBuild:
      throw error(errc::another_build, failure.message);
    case ErrorCode::kAnotherFormat:
    case ErrorCode::kUnsupportedHost:
      throw error(errc::unsupported_host, failure.message);
    case ErrorCode::kNoSuchRevision:
      throw error(errc::no_such_revision, failure.message);
    case ErrorCode::kNoSpace:
      throw error(errc::no_space, failure.message);
    case ErrorCode::kWrongType:
      throw error(errc::wrong_type, failure.message);
    case ErrorCode::kNameTaken:
      throw error(errc::name_taken, failure.message);
    case ErrorCode::kNotInGreenThread:
      throw error(errc::not_in_green_thread, failure.message);
    case ErrorCode::kDeadlock:
      throw error(errc::deadlock, failure.message);
    case ErrorCode::kUsage:
      throw std::invalid_argument(failure.message);
    case ErrorCode::kNotFound:
    case ErrorCode::kIoFailed:
      throw error(errc::io_failed, failure.message);
  }
  __builtin_unreachable();
}

int exit_code_of(const error& failure) {
  static_assert(
      static_cast<int>(errc::store_in_use) == static_cast<int>(base::ErrorCode::kStoreInUse) + 1 &&
      static_cast<int>(errc::io_failed) == static_cast<int>(base::ErrorCode::kIoFailed) + 1);
  return base::exit_code_of(static_cast<base::ErrorCode>(failure.code().value() - 1));
}

}  // namespace revenant::runtime
