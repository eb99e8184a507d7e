// The words that public headers share with the runtime.
#include <atomic>

#include "revenant/detail/safepoint.h"
#include "revenant/error.h"
#include "runtime/machine.h"

namespace revenant {

namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "revenant"; }

  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::store_in_use:
        return "the store is in use";
      case errc::store_damaged:
        return "the store is damaged";
      case errc::not_a_store:
        return "not a store";
      case errc::another_program:
        return "the store belongs to another program";
      case errc::another_build:
        return "the store was written by another build";
      case errc::unsupported_host:
        return "the host lacks what is needed";
      case errc::no_such_revision:
        return "no such revision";
      case errc::no_space:
        return "no space left";
      case errc::wrong_type:
        return "the object is of another type";
      case errc::name_taken:
        return "the name is taken";
      case errc::not_in_green_thread:
        return "not in a green thread";
      case errc::deadlock:
        return "the thread would wait for itself";
      case errc::io_failed:
        return "input or output failed";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

error::error(errc code, const std::string& sentence)
    : std::system_error(make_error_code(code)), sentence_(sentence) {}

namespace detail {

std::atomic<bool> stop_requested{false};

void stop_here() {
  const runtime::Worker* worker = runtime::Worker::of_this_thread();
  if (worker != nullptr && worker->current() != nullptr) {
    runtime::Machine::instance().scheduler().stop_here();
  }
}

}  // namespace detail
}  // namespace revenant
