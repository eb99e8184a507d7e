// What a program can do wrong: `mistakes CASE` makes one mistake and is expected to be named.
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/revenant.h"

using namespace std::chrono_literals;

namespace {

// Where the compiler does not see the mistake coming.
template <class T>
T* hidden(T* pointer) {
  asm volatile("" : "+r"(pointer));
  return pointer;
}

int endless(int depth);
int (*volatile endless_call)(int) = endless;

__attribute__((noinline)) int endless(int depth) {
  volatile char frame[1000];
  frame[0] = static_cast<char>(depth);
  return endless_call(depth + 1) + frame[0];
}

void overflow() {
  revenant::thread deep({.name = "digger"}, [] { endless(0); });
  deep.join();
}

void uncaught() {
  revenant::thread thrower({.name = "thrower"}, [] { throw std::out_of_range("too far out"); });
  thrower.join();
}

void use_after_free() {
  char* large = static_cast<char*>(std::malloc(8 << 20));
  large[5 << 20] = 1;
  std::free(hidden(large));
  const volatile char* gone = hidden(large);
  std::exit(gone[5 << 20]);
}

void double_free() {
  void* block = std::malloc(100);
  std::free(hidden(block));
  std::free(hidden(block));
}

void foreign_free() {
  auto* block = static_cast<char*>(std::malloc(100));
  std::free(hidden(block + 16));
}

void null_pointer() {
  volatile int* nothing = hidden(static_cast<int*>(nullptr));
  *nothing = 1;
}

void foreign_unlock() {
  static revenant::mutex held;
  revenant::thread owner({.name = "owner"}, [] { held.lock(); });
  owner.join();
  held.unlock();
}

void exit_code() { std::exit(42); }

const std::map<std::string_view, void (*)()> kCases = {
    {"overflow", overflow},
    {"uncaught", uncaught},
    {"use_after_free", use_after_free},
    {"double_free", double_free},
    {"foreign_free", foreign_free},
    {"null_pointer", null_pointer},
    {"foreign_unlock", foreign_unlock},
    {"exit_code", exit_code},
};

}  // namespace

int main(int argc, char** argv) {
  int local = 1;
  const bool capturing = argc > 1 && std::string_view(argv[argc - 1]) == "capture";
  if (capturing) {
    return revenant::run(argc, argv, [&local] { revenant::print("{}\n", local); });
  }
  return revenant::run(argc, argv, [] {
    const auto found = kCases.find(revenant::args().at(0));
    if (found == kCases.end()) return 99;
    revenant::sync();
    found->second();
    return 0;
  });
}
