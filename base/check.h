// A bug prints its facts and aborts.
//
// Tiers: REVENANT_CHECK always runs; REVENANT_DCHECK runs in debug and sanitizer builds. Both print
// file, line, the condition and the given facts (printf syntax) with one write(2), so that they work
// in a signal handler and below a held lock, and then abort. Checks that cite a header card's
// invariant carry it as a trailing comment: // I3
#pragma once

namespace revenant::base {

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const char* format = "", ...)
    __attribute__((format(printf, 4, 5)));

}  // namespace revenant::base

#define REVENANT_CHECK(condition, ...)                                                      \
  do {                                                                                      \
    if (!(condition)) [[unlikely]] {                                                        \
      ::revenant::base::check_failed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                                       \
  } while (false)

#ifdef NDEBUG
#define REVENANT_DCHECK(condition, ...) \
  do {                                  \
  } while (false && (condition))
#else
#define REVENANT_DCHECK(condition, ...) REVENANT_CHECK(condition __VA_OPT__(, ) __VA_ARGS__)
#endif
