// Whether this is a sanitized build, by gcc's macros or clang's: REVENANT_ASAN, REVENANT_TSAN, and
// REVENANT_SANITIZED for either. Such a program has a shared libc, which allocates for itself
// outside of the space, maps terabytes, starts threads, and has faults that are not the space's
// reported by the sanitizer.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define REVENANT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REVENANT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define REVENANT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define REVENANT_TSAN 1
#endif
#endif
#if defined(REVENANT_ASAN) || defined(REVENANT_TSAN)
#define REVENANT_SANITIZED 1
#endif
