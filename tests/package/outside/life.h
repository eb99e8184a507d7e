// What a program under test says, and where it dies: the same work runs as an ordinary process.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// The work, in each program's own file.
void work(void);

// Prints a line; then a program that goes on is killed, and returns in its next process.
void step(const char* format, ...) __attribute__((format(printf, 1, 2)));

#ifdef __cplusplus
}
#endif
