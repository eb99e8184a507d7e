// Whether this is a sanitized build, by gcc's macros or clang's: REVENANT_ASAN and REVENANT_TSAN.
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
