// What the documentation says begins anew in every process, does; within one life it stays.
#include <fmt/format.h>

#include <memory_resource>
#include <system_error>
#include <thread>

#include "constructs.h"

namespace constructs {
namespace {

int global_number = 11;

int& function_static() {
  static int number = 22;
  return number;
}

std::string statics() {
  for (int i = 0; i < 5; ++i) {
    const unsigned long life = lives();
    global_number = 100 + i;
    function_static() = 200 + i;
    moment();
    const bool is_fresh = lives() != life;
    REQUIRE(global_number == (is_fresh ? 11 : 100 + i));
    REQUIRE(function_static() == (is_fresh ? 22 : 200 + i));
  }
  return "statics begin anew with each process";
}

thread_local int thread_number = 33;

std::string thread_locals() {
  for (int i = 0; i < 5; ++i) {
    const unsigned long life = lives();
    thread_number = 300 + i;
    moment();
    REQUIRE(thread_number == (lives() != life ? 33 : 300 + i));
  }
  return "so do thread_locals";
}

}  // namespace

std::vector<Case> fresh() { return {{"statics", statics}, {"thread_locals", thread_locals}}; }

}  // namespace constructs
