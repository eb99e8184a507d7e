// What is durable, and what the outside is shown.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "revenant/detail/task.h"
#include "revenant/error.h"

namespace revenant {

// The number of a snapshot: rising, never used twice in a store.
using revision = std::uint64_t;

// Returns once all that this thread did before is durable, with the snapshot that made it so.
// Throws error when it cannot be made durable (no_space, io_failed); the program goes on, and may
// try again. Only in green threads, and not in a function of on_restart.
revision sync();

// sync(), and a name on that snapshot, which is then kept. Throws error (name_taken) as well, and
// std::invalid_argument for a name that reads as another revision: a number, latest, @10m, x~1.
revision tag(std::string_view name);

// How many times the program was started: 1 the first time. Durable before any thread resumes.
std::uint64_t generation();

namespace detail {

template <class F>
class function_task final : public task {
 public:
  template <class G>
  explicit function_task(G&& function) : function_(std::forward<G>(function)) {}
  void run(std::stop_token) override { function_(); }

 private:
  F function_;
};

template <class F>
std::unique_ptr<task> make_task(F&& function) {
  return std::make_unique<function_task<std::decay_t<F>>>(std::forward<F>(function));
}

void after_commit(std::unique_ptr<task> function);
void on_restart(std::unique_ptr<task> function);
void print(std::string_view text);
void print_after_commit(std::string text);
void require_green_thread(const char* what);

}  // namespace detail

// Runs `function` in a green thread of its own once everything this thread did before is durable:
// at least once (again, if the program dies before that is remembered), and never before.
template <class F>
void after_commit(F&& function) {
  detail::require_green_thread("after_commit");
  detail::after_commit(detail::make_task(std::forward<F>(function)));
}

// Runs `function` in a green thread at each later start, in order of registration and before other
// threads resume. It stays registered. No snapshot is taken until all such functions have returned.
// One that is registered by another at a start runs from the next start on.
template <class F>
void on_restart(F&& function) {
  detail::require_green_thread("on_restart");
  detail::on_restart(detail::make_task(std::forward<F>(function)));
}

// Writes the formatted text (fmt syntax) to stdout at once, in one piece. Any thread.
template <class... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  detail::print(fmt::format(format, std::forward<Args>(args)...));
}

// Writes it once everything this thread did before is durable; such texts keep their order. A
// restart may write one again, never lose one.
template <class... Args>
void print_after_commit(fmt::format_string<Args...> format, Args&&... args) {
  detail::require_green_thread("print_after_commit");
  detail::print_after_commit(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace revenant
