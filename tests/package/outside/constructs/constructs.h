// What a family of C++ constructs shows: cases, in the middle of whose lives the program is killed.
//
// Nothing here and beside it knows of more than revenant's public headers: the same sources build
// in a project of one's own.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace constructs {

// Does its work in steps with moment() between them; returns what came of it, which is the same in
// every run, and in a process that is not killed.
struct Case {
  const char* name;
  std::string (*run)();
};

// An instant at which the program may be killed: a green thread sleeps for some milliseconds, and
// others run. In an ordinary process nothing happens.
void moment();

// Runs the functions in threads of their own, and waits for all.
void at_once(const std::vector<std::function<void()>>& functions);

// How often the program was started; 1 in an ordinary process.
unsigned long lives();

std::vector<Case> sequences();
std::vector<Case> associative();
std::vector<Case> views();
std::vector<Case> smart_pointers();
std::vector<Case> values();
std::vector<Case> memory();
std::vector<Case> resources();
std::vector<Case> text();
std::vector<Case> numbers();
std::vector<Case> types();
std::vector<Case> exceptions();
std::vector<Case> frames();
std::vector<Case> coroutines();
std::vector<Case> algorithms();
std::vector<Case> pipelines();
std::vector<Case> synchronisation();
std::vector<Case> futures();
std::vector<Case> c_library();
std::vector<Case> archives();
std::vector<Case> fresh();

}  // namespace constructs

// What does not hold is printed, and ends the program with exit code 1.
#define REQUIRE(condition)                                                          \
  do {                                                                              \
    if (!(condition)) {                                                             \
      std::fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
      std::_Exit(1);                                                                \
    }                                                                               \
  } while (false)
