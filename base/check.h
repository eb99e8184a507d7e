// A bug prints its facts and aborts.
//
// Tiers: REVENANT_CHECK always runs; REVENANT_DCHECK runs in debug and sanitizer builds. Both print
// file, line, the condition and the given facts (printf syntax) in one write, and then abort.
// Checks that cite a header card's invariant carry it as a trailing comment: // I3
//
// Usable in a signal handler and under any lock: the text is put together on the stack and leaves
// by a raw system call, since in programs write(2) itself is redirected to green threads.
#pragma once

namespace revenant::base {

[[noreturn]] void check_failed(const char* file, int line, const char* condition);
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const char* format, ...) __attribute__((format(printf, 4, 5)));

}  // namespace revenant::base

#define REVENANT_CHECK(condition, ...)                                                           \
  do {                                                                                           \
    if (!(condition)) [[unlikely]] {                                                             \
      ::revenant::base::check_failed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                                            \
  } while (false)

// Under NDEBUG the condition is still compiled, so that it cannot rot, and never run.
#ifdef NDEBUG
#define REVENANT_DCHECK(condition, ...) \
  do {                                  \
  } while (false && (condition))
#else
#define REVENANT_DCHECK(condition, ...) REVENANT_CHECK(condition __VA_OPT__(, ) __VA_ARGS__)
#endif
