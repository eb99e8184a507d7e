// Green threads, shaped as std's. They live in persistent memory and go on after a restart.
#pragma once

#include <chrono>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "revenant/detail/safepoint.h"
#include "revenant/detail/task.h"
#include "revenant/detail/time.h"

namespace revenant {

// A thread of execution; joins when destroyed, after requesting a stop, as std::jthread does.
//
// Handles and threads are persistent objects. Thread-safety is that of std::jthread: distinct
// handles may be used by distinct threads at once. Used outside green threads, every operation that
// touches another thread throws error (not_in_green_thread).
class thread {
 public:
  // The identity of a thread: never used twice in the life of a store.
  class id {
   public:
    constexpr id() noexcept = default;
    constexpr auto operator<=>(const id&) const noexcept = default;
    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }

   private:
    friend class thread;
    explicit constexpr id(std::uint64_t value) noexcept : value_(value) {}
    std::uint64_t value_ = 0;
  };

  struct attributes {
    std::string name;            // for messages and the tool; cut at 31 bytes
    std::size_t stack_size = 0;  // bytes; 0: the program's default
  };

  thread() noexcept = default;

  // Runs function(args...) on copies of both; a callable that takes a std::stop_token first is
  // given one. Throws std::system_error (resource_unavailable_try_again) when there is no stack to
  // be had.
  template <class F, class... Args>
  requires(!std::same_as<std::remove_cvref_t<F>, thread> &&
           !std::same_as<std::remove_cvref_t<F>, attributes>) explicit thread(F&& function,
                                                                              Args&&... args)
      : thread(attributes{}, std::forward<F>(function), std::forward<Args>(args)...) {}

  template <class F, class... Args>
  thread(const attributes& wanted, F&& function, Args&&... args) {
    start(wanted, make_task(std::forward<F>(function), std::forward<Args>(args)...));
  }

  thread(thread&& other) noexcept { swap(other); }
  thread& operator=(thread&& other) noexcept {
    thread(std::move(other)).swap(*this);
    return *this;
  }
  ~thread() {
    if (joinable()) {
      request_stop();
      join();
    }
  }

  // Waits until the thread has ended. Throws std::system_error: invalid_argument when not joinable,
  // resource_deadlock_would_occur for a thread that joins itself.
  void join();
  // Lets it go on without a handle.
  void detach();
  // The calling green thread's; none outside of green threads.
  [[nodiscard]] static id current_id() noexcept;
  [[nodiscard]] bool joinable() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] id get_id() const noexcept;
  bool request_stop() noexcept;
  [[nodiscard]] std::stop_token get_stop_token() const noexcept;
  [[nodiscard]] std::stop_source get_stop_source() const noexcept;
  void swap(thread& other) noexcept { std::swap(handle_, other.handle_); }
  friend void swap(thread& a, thread& b) noexcept { a.swap(b); }

 private:
  template <class F, class... Args>
  static std::unique_ptr<detail::task> make_task(F&& function, Args&&... args);
  void start(const attributes& wanted, std::unique_ptr<detail::task> body);

  void* handle_ = nullptr;
};

std::ostream& operator<<(std::ostream& out, thread::id id);

namespace detail {

template <class F, class... Args>
class thread_task final : public task {
 public:
  template <class G, class... Given>
  explicit thread_task(G&& function, Given&&... args)
      : function_(std::forward<G>(function)), args_(std::forward<Given>(args)...) {}

  void run(std::stop_token token) override {
    std::apply(
        [&](Args&... args) {
          if constexpr (std::is_invocable_v<F, std::stop_token, Args...>) {
            std::invoke(std::move(function_), std::move(token), std::move(args)...);
          } else {
            std::invoke(std::move(function_), std::move(args)...);
          }
        },
        args_);
  }

 private:
  F function_;
  std::tuple<Args...> args_;
};

}  // namespace detail

template <class F, class... Args>
std::unique_ptr<detail::task> thread::make_task(F&& function, Args&&... args) {
  using Task = detail::thread_task<std::decay_t<F>, std::decay_t<Args>...>;
  return std::make_unique<Task>(std::forward<F>(function), std::forward<Args>(args)...);
}

namespace this_thread {

// Lets the other ready threads run.
void yield();
[[nodiscard]] inline thread::id get_id() noexcept { return thread::current_id(); }
void set_name(std::string_view name);

// Sleeps. The time counts on while the program is dead, and a sleep that ended meanwhile returns at
// once after the restart.
template <class Rep, class Period>
void sleep_for(const std::chrono::duration<Rep, Period>& duration) {
  detail::sleep(detail::deadline_in(duration));
}

// Steady clocks mean the program's monotonic time, std::chrono::system_clock means wall time.
template <class Clock, class Duration>
void sleep_until(const std::chrono::time_point<Clock, Duration>& time) {
  detail::sleep(detail::deadline_at(time));
}

}  // namespace this_thread
}  // namespace revenant

template <>
struct std::hash<revenant::thread::id> {
  std::size_t operator()(revenant::thread::id id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value());
  }
};
