// Paths, and what calls about files fill in, where the kernel can reach them.
//
// For callers of every kind: those that are no green thread's are handed through.
#pragma once

#include "runtime/calls/bounce.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"

namespace revenant::runtime {

// `call` gets a path that the kernel can read.
template <class Call>
auto with_path(const char* path, Call call) -> decltype(call(path)) {
  if (green_caller() == nullptr) return call(path);
  const Bounce bounced = Bounce::text(path);
  return bounced.ok() ? call(bounced.as<const char>()) : kRefused;
}

template <class Call>
auto with_path_at(int directory, const char* path, Call call) -> decltype(call(path)) {
  return caller_may_use_directory(directory) ? with_path(path, call) : kRefused;
}

template <class Call>
int with_paths(const char* first, const char* second, Call call) {
  return with_path(first, [&](const char* one) {
    return with_path(second, [&](const char* two) { return call(one, two); });
  });
}

// `call` gets a place that the kernel can write to; null stays null.
template <class T, class Call>
int with_result(T* result, Call call) {
  if (green_caller() == nullptr) return call(result);
  const Bounce bounced = Bounce::out(result, sizeof *result);
  if (!bounced.ok()) return kRefused;
  const int outcome = call(bounced.as<T>());
  if (outcome == 0) bounced.deliver();
  return outcome;
}

// `call` gets `count` values of T that the kernel can read; null stays null.
template <class T, class Call>
int with_values(const T* values, std::size_t count, Call call) {
  if (green_caller() == nullptr) return call(values);
  const Bounce bounced = Bounce::in(values, values == nullptr ? 0 : count * sizeof *values);
  return bounced.ok() ? call(bounced.as<const T>()) : kRefused;
}

}  // namespace revenant::runtime
