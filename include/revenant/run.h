// Running a program in persistent memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "revenant/detail/task.h"

namespace revenant {

// What the flags of a program say, for those who set them in code. A default-constructed field
// means the flag's default. The meanings are those of the flags of the same names.
struct options {
  std::filesystem::path store;  // empty: ./<program>.rev
  std::chrono::nanoseconds snapshot_every = std::chrono::milliseconds(100);
  std::chrono::nanoseconds pause_target = std::chrono::microseconds(200);
  std::size_t memory = 0;
  std::size_t stack_size = std::size_t{256} * 1024;
  unsigned workers = 1;
  std::string branch = "main";
  std::string from;
  std::string tracker = "auto";
  std::string keep;
  std::string preempt;
  bool upgrade = false;
  bool check_volatile = false;
  std::filesystem::path key;
};

namespace detail {

// The program's main function, before it is copied into persistent memory.
struct main_function {
  const void* object;
  std::size_t size;
  // Makes the copy; called with persistent memory as the place of allocation.
  task* (*make)(const void* object);
};

void finish_program(int exit_code);

template <class F>
class main_task final : public task {
 public:
  explicit main_task(const F& function) : function_(function) {}
  void run(std::stop_token) override {
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      function_();
      finish_program(0);
    } else {
      finish_program(function_());
    }
  }

 private:
  F function_;
};

template <class F>
main_function describe_main(const F& function) {
  return {std::is_empty_v<F> ? nullptr : static_cast<const void*>(std::addressof(function)),
          std::is_empty_v<F> ? 0 : sizeof(F), [](const void* object) -> task* {
            if constexpr (std::is_empty_v<F>) {
              (void)object;
              // An empty callable has no state: any storage is one.
              alignas(F) static constexpr std::byte stateless[sizeof(F)] = {};
              return new main_task<F>(*reinterpret_cast<const F*>(stateless));
            } else {
              return new main_task<F>(*static_cast<const F*>(object));
            }
          }};
}

int run_program(int argc, char** argv, const main_function& main);
int run_program(const options& chosen, const main_function& main);

}  // namespace detail

// Runs `main` (() -> void or int) as the first green thread of a store that is new, or resumes the
// threads of one that is not; flags of the command line say how. Returns the exit code: of `main`
// once it has returned (in this start or an earlier one), 0 after SIGTERM or SIGINT, 2 for a wrong
// flag, 10 to 15 as documented when the store or the host is not fit.
//
// `main` is copied into persistent memory and must not refer to the caller's stack or heap: such a
// capture is refused. Call it once a process, from the process's main thread.
template <class F>
int run(int argc, char** argv, F main) {
  return detail::run_program(argc, argv, detail::describe_main(main));
}

template <class F>
int run(const options& chosen, F main) {
  return detail::run_program(chosen, detail::describe_main(main));
}

// The arguments of this start that run() did not take, without the program's name. The views stay
// valid for the life of the store. Any thread, after run() was called.
std::vector<std::string_view> args();

}  // namespace revenant
