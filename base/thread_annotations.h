// Clang's thread-safety annotations; nothing under other compilers.
#pragma once

#if defined(__clang__)
#define REVENANT_ANNOTATION(x) __attribute__((x))
#else
#define REVENANT_ANNOTATION(x)
#endif

#define REVENANT_CAPABILITY(name) REVENANT_ANNOTATION(capability(name))
#define REVENANT_SCOPED_CAPABILITY REVENANT_ANNOTATION(scoped_lockable)
#define REVENANT_GUARDED_BY(lock) REVENANT_ANNOTATION(guarded_by(lock))
#define REVENANT_REQUIRES(...) REVENANT_ANNOTATION(requires_capability(__VA_ARGS__))
#define REVENANT_EXCLUDES(...) REVENANT_ANNOTATION(locks_excluded(__VA_ARGS__))
#define REVENANT_ACQUIRE(...) REVENANT_ANNOTATION(acquire_capability(__VA_ARGS__))
#define REVENANT_TRY_ACQUIRE(...) REVENANT_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define REVENANT_ASSERT_HELD(...) REVENANT_ANNOTATION(assert_capability(__VA_ARGS__))
#define REVENANT_RELEASE(...) REVENANT_ANNOTATION(release_capability(__VA_ARGS__))
#define REVENANT_RETURNS_LOCK(lock) REVENANT_ANNOTATION(lock_returned(lock))
#define REVENANT_NO_THREAD_SAFETY_ANALYSIS REVENANT_ANNOTATION(no_thread_safety_analysis)
