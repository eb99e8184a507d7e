// Exceptions: caught and not yet left, nested, kept, thrown again, half-way through an unwinding.
#include <fmt/ranges.h>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "constructs.h"

namespace constructs {
namespace {

std::string caught_across() {
  std::string seen;
  try {
    throw std::out_of_range("a text that the exception owns");
  } catch (const std::exception& outer) {
    moment();
    try {
      throw std::system_error(std::make_error_code(std::errc::no_space_on_device), "inner");
    } catch (const std::system_error& inner) {
      moment();
      seen = fmt::format("{} / {} ", outer.what(), inner.code().value());
    }
    moment();
    try {
      throw;
    } catch (const std::out_of_range& again) {
      REQUIRE(&again == &outer);
      moment();
      seen += again.what();
    }
  }
  REQUIRE(std::current_exception() == nullptr && std::uncaught_exceptions() == 0);
  return seen;
}

void fail_at(int depth) {
  try {
    if (depth == 0) throw std::runtime_error("the disk is on fire");
    fail_at(depth - 1);
  } catch (...) {
    moment();
    std::throw_with_nested(std::logic_error(fmt::format("step {}", depth)));
  }
}

std::string story_of(const std::exception& error) {
  std::string story = error.what();
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& cause) {
    moment();
    story += " because " + story_of(cause);
  }
  return story;
}

std::string nested() {
  try {
    fail_at(3);
  } catch (const std::exception& error) {
    return story_of(error);
  }
  return "nothing";
}

std::string kept_pointer() {
  std::vector<std::exception_ptr> kept;
  for (int i = 0; i < 4; ++i) {
    try {
      if (i % 2 == 0)
        throw std::invalid_argument(fmt::format("number {} of a kind that is kept", i));
      throw i;
    } catch (...) {
      kept.push_back(std::current_exception());
    }
    moment();
  }
  std::string all;
  for (const std::exception_ptr& each : kept) {
    try {
      std::rethrow_exception(each);
    } catch (const std::invalid_argument& error) {
      moment();
      all += error.what();
    } catch (int number) {
      all += fmt::format(" {} ", number);
    }
  }
  kept.push_back(std::make_exception_ptr(std::bad_function_call()));
  moment();
  kept.clear();
  return all;
}

struct Unwound {
  explicit Unwound(std::vector<std::string>& its_log) : log(its_log) {}
  ~Unwound() {
    const int before = std::uncaught_exceptions();
    moment();  // half-way through the unwinding of a stack
    try {
      throw std::runtime_error("inside");
    } catch (const std::runtime_error&) {
      moment();
    }
    log.push_back(fmt::format("{} {}", before, std::uncaught_exceptions()));
  }
  std::vector<std::string>& log;
};

std::string unwinding() {
  std::vector<std::string> log;
  try {
    const Unwound outer(log);
    const Unwound inner(log);
    throw std::length_error("too long");
  } catch (const std::length_error& error) {
    log.emplace_back(error.what());
  }
  { const Unwound calm(log); }
  return fmt::format("{}", log);
}

struct Member {
  explicit Member(int number) {
    moment();
    if (number < 0) throw std::domain_error(fmt::format("{} is negative", number));
  }
};
struct Holder {
  Holder(int first, int second) try : one(first), two(second), text(100, 'h') {
  } catch (const std::domain_error& error) {
    moment();
    throw std::runtime_error(std::string("not held: ") + error.what());
  }
  Member one, two;
  std::string text;
};

std::string function_try_block() {
  std::optional<Holder> held;
  try {
    held.emplace(1, -2);
  } catch (const std::runtime_error& error) {
    moment();
    return error.what();
  }
  return "held";
}

int no_throw_inside() noexcept {
  try {
    moment();
    throw 5;
  } catch (int number) {
    moment();
    return number;
  }
}

// Each thread has exceptions of its own, whatever the others have under way.
std::string interleaved() {
  std::vector<std::string> seen(6);
  std::vector<std::function<void()>> functions;
  for (int i = 0; i < 6; ++i) {
    functions.emplace_back([&seen, i] {
      try {
        throw std::runtime_error(fmt::format("of thread {}", i));
      } catch (const std::exception& error) {
        moment();
        const int five = no_throw_inside();
        moment();
        seen[static_cast<std::size_t>(i)] = fmt::format("{} {}", error.what(), five);
      }
    });
  }
  at_once(functions);
  return fmt::format("{}", seen);
}

}  // namespace

std::vector<Case> exceptions() {
  return {{"caught_across", caught_across},
          {"nested_exceptions", nested},
          {"exception_ptr", kept_pointer},
          {"unwinding", unwinding},
          {"function_try_block", function_try_block},
          {"interleaved_exceptions", interleaved}};
}

}  // namespace constructs
