// Blocking between green threads, shaped as std's. Only the green thread blocks.
//
// All are persistent objects: owners, waiters and deadlines survive a restart. They may be members
// of any persistent object, and a zero-initialised one is valid. Used outside green threads they
// throw error (not_in_green_thread). Destroying one that threads wait on is undefined, as in std.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "revenant/detail/wait.h"

namespace revenant {

// As std::mutex; hands itself over in order of arrival. lock() by its owner throws error
// (deadlock).
class mutex {
 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  void lock();
  bool try_lock();
  void unlock();

 private:
  void* owner_ = nullptr;
  detail::wait_queue waiters_;
};

class condition_variable;

namespace detail {
// Waits for `done`; false when the deadline or a stop came first and it still is not.
template <class Lock, class Predicate>
bool wait_until_deadline(condition_variable& condition, Lock& lock, const std::stop_token& token,
                         const deadline& until, Predicate& done);
}  // namespace detail

// As std::condition_variable_any: works with any lock.
class condition_variable {
 public:
  condition_variable() noexcept = default;
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;

  void notify_one() { detail::notify_one(waiters_); }
  void notify_all() { detail::notify_all(waiters_); }

  template <class Lock>
  void wait(Lock& lock) {
    wait_with_deadline(lock, {});
  }
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate done) {
    while (!done()) wait(lock);
  }
  // False when `token` is stopped and the predicate still is false.
  template <class Lock, class Predicate>
  bool wait(Lock& lock, std::stop_token token, Predicate done) {
    return detail::wait_until_deadline(*this, lock, token, {}, done);
  }

  template <class Lock, class Clock, class Duration>
  std::cv_status wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& time) {
    return wait_with_deadline(lock, detail::deadline_at(time));
  }
  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& time,
                  Predicate done) {
    return detail::wait_until_deadline(*this, lock, {}, detail::deadline_at(time), done);
  }
  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock, std::stop_token token,
                  const std::chrono::time_point<Clock, Duration>& time, Predicate done) {
    return detail::wait_until_deadline(*this, lock, token, detail::deadline_at(time), done);
  }

  template <class Lock, class Rep, class Period>
  std::cv_status wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& duration) {
    return wait_with_deadline(lock, detail::deadline_in(duration));
  }
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& duration, Predicate done) {
    return detail::wait_until_deadline(*this, lock, {}, detail::deadline_in(duration), done);
  }
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, std::stop_token token,
                const std::chrono::duration<Rep, Period>& duration, Predicate done) {
    return detail::wait_until_deadline(*this, lock, token, detail::deadline_in(duration), done);
  }

 private:
  template <class Lock, class Predicate>
  friend bool detail::wait_until_deadline(condition_variable& condition, Lock& lock,
                                          const std::stop_token& token,
                                          const detail::deadline& until, Predicate& done);

  // Unlocks a lock, and locks it again however the wait ends.
  template <class Lock>
  struct unlocked {
    explicit unlocked(Lock& lock) : lock_(lock) { lock_.unlock(); }
    ~unlocked() { lock_.lock(); }
    Lock& lock_;
  };

  template <class Lock>
  std::cv_status wait_with_deadline(Lock& lock, const detail::deadline& until,
                                    const std::stop_token& token = {}) {
    detail::wait_ticket ticket(waiters_);  // before the unlock: no notification is missed
    if (token.stop_requested()) return std::cv_status::no_timeout;
    const unlocked<Lock> released(lock);
    return ticket.wait(until, this) ? std::cv_status::no_timeout : std::cv_status::timeout;
  }

  detail::wait_queue waiters_;
};

template <class Lock, class Predicate>
bool detail::wait_until_deadline(condition_variable& condition, Lock& lock,
                                 const std::stop_token& token, const deadline& until,
                                 Predicate& done) {
  const std::stop_callback wake(token, [&] { condition.notify_all(); });
  while (!done()) {
    if (token.stop_requested()) return false;
    if (condition.wait_with_deadline(lock, until, token) == std::cv_status::timeout) return done();
  }
  return true;
}

// A queue of at most `capacity` values between threads; capacity 0: each send meets a receive.
//
// Values are received in the order in which they were sent, and who waits is served in order of
// arrival. Closing wakes everybody: sends then fail, receives drain what is there. Thread-safe
// among green threads.
template <class T>
class channel {
 public:
  explicit channel(std::size_t capacity) : capacity_(capacity) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  // False once closed, or when `token` is stopped: the value was not sent.
  bool send(T value) { return send_until(std::move(value), {}, {}); }
  bool send(std::stop_token token, T value) {
    return send_until(std::move(value), std::move(token), {});
  }
  bool try_send(T value) {
    const std::lock_guard guard(mutex_);
    if (closed_ || !may_send()) return false;
    values_.push_back(std::move(value));
    wake_next();
    return true;
  }
  template <class Rep, class Period>
  bool send_for(T value, const std::chrono::duration<Rep, Period>& duration) {
    return send_until(std::move(value), {}, detail::deadline_in(duration));
  }
  template <class Rep, class Period>
  bool send_for(std::stop_token token, T value,
                const std::chrono::duration<Rep, Period>& duration) {
    return send_until(std::move(value), std::move(token), detail::deadline_in(duration));
  }

  // Empty once closed and drained, or when `token` is stopped.
  std::optional<T> receive() { return receive_until({}, {}); }
  std::optional<T> receive(std::stop_token token) { return receive_until(std::move(token), {}); }
  std::optional<T> try_receive() {
    const std::lock_guard guard(mutex_);
    if (may_receive()) return take();
    return may_meet() ? std::optional<T>(take_from_sender()) : std::nullopt;
  }
  template <class Rep, class Period>
  std::optional<T> receive_for(const std::chrono::duration<Rep, Period>& duration) {
    return receive_until({}, detail::deadline_in(duration));
  }
  template <class Rep, class Period>
  std::optional<T> receive_for(std::stop_token token,
                               const std::chrono::duration<Rep, Period>& duration) {
    return receive_until(std::move(token), detail::deadline_in(duration));
  }

  void close() {
    const std::lock_guard guard(mutex_);
    closed_ = true;
    for (sender& each : sending_) each.turn.notify_one();
    for (condition_variable& turn : receiving_) turn.notify_one();
  }

 private:
  struct sender {
    condition_variable turn;
    T* value;  // in the frame of the thread that waits
    bool served = false;
  };
  using senders = std::list<sender>;

  // With capacity 0 there is room for as many values as there are receivers waiting.
  [[nodiscard]] bool has_room() const {
    return values_.size() < (capacity_ != 0 ? capacity_ : receiving_.size());
  }
  // Whether a thread that does not wait yet would overtake nobody.
  [[nodiscard]] bool may_send() const { return sending_.empty() && has_room(); }
  [[nodiscard]] bool may_receive() const { return receiving_.empty() && !values_.empty(); }
  // Whether a sender waits, and nobody else for what it sends.
  [[nodiscard]] bool may_meet() const {
    return !closed_ && receiving_.empty() && values_.empty() && !sending_.empty();
  }
  T take();
  T take_from_sender();
  void wake_next();

  bool send_until(T value, std::stop_token token, const detail::deadline& until);
  std::optional<T> receive_until(std::stop_token token, const detail::deadline& until);

  const std::size_t capacity_;
  mutex mutex_;
  std::deque<T> values_;
  // Who waits, in order of arrival; only the first of each goes on.
  senders sending_;
  senders served_;  // whose value was taken, until they have noticed
  std::list<condition_variable> receiving_;
  bool closed_ = false;
};

template <class T>
bool channel<T>::send_until(T value, std::stop_token token, const detail::deadline& until) {
  std::unique_lock lock(mutex_);
  bool free = closed_ || may_send();
  if (!free) {
    const auto place = sending_.emplace(sending_.end());
    place->value = &value;
    auto ready = [&] {
      return closed_ || place->served || (place == sending_.begin() && has_room());
    };
    free = detail::wait_until_deadline(place->turn, lock, token, until, ready);
    const bool served = place->served;
    (served ? served_ : sending_).erase(place);
    if (served) return true;
  }
  const bool sent = free && !closed_;
  if (sent) values_.push_back(std::move(value));
  wake_next();
  return sent;
}

template <class T>
std::optional<T> channel<T>::receive_until(std::stop_token token, const detail::deadline& until) {
  std::unique_lock lock(mutex_);
  if (!may_receive()) {
    const auto place = receiving_.emplace(receiving_.end());
    wake_next();  // with capacity 0, a sender has waited for this
    auto ready = [&] { return closed_ || (place == receiving_.begin() && !values_.empty()); };
    detail::wait_until_deadline(*place, lock, token, until, ready);
    receiving_.erase(place);
  }
  // Whoever gave up takes what is there all the same: with capacity 0 it may be meant for it.
  if (values_.empty()) {
    wake_next();
    return std::nullopt;
  }
  return take();
}

template <class T>
T channel<T>::take() {
  T value = std::move(values_.front());
  values_.pop_front();
  wake_next();
  return value;
}

template <class T>
T channel<T>::take_from_sender() {
  served_.splice(served_.end(), sending_, sending_.begin());
  sender& first = served_.back();
  first.served = true;
  T value = std::move(*first.value);
  first.turn.notify_one();
  return value;
}

template <class T>
void channel<T>::wake_next() {
  if (!sending_.empty() && has_room()) sending_.front().turn.notify_one();
  if (!receiving_.empty() && !values_.empty()) receiving_.front().notify_one();
}

}  // namespace revenant
