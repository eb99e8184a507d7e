// What a program can do wrong: `mistakes CASE` makes one mistake and is expected to be named.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/revenant.h"

using namespace std::chrono_literals;

struct Cache {
  int hits = 0;
  const char* buffer = nullptr;
};
REVENANT_DESCRIBE(Cache, hits, buffer)

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

const char* volatile_text() {
  const revenant::volatile_scope scope;
  return new char[64]{"gone after a restart"};
}

void volatile_object() {
  revenant::root<Cache>("caches/first").buffer = volatile_text();
  revenant::sync();
}

// A block that was freed keeps such words, and nobody reads them; what is allocated later lies
// behind.
void volatile_among_freed() {
  revenant::sync();
  const char* text = volatile_text();
  for (const std::size_t words : {64, 256}) {
    std::vector<std::unique_ptr<const char*[]>> blocks(40);
    for (auto& block : blocks) {
      block.reset(new const char*[words]);
      std::fill_n(hidden(block.get()), words, text);
    }
  }
  auto& caches = revenant::root<std::vector<Cache>>("caches");
  caches.resize(100'000);
  caches.back().buffer = text;
  for (int i = 0; i < 3; ++i) revenant::sync();
}

// Its name, the second argument, has something of a library's.
void volatile_file() {
  const std::string name(revenant::args().at(1));
  const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, 4096) != 0) std::abort();
  void* mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) std::abort();
  revenant::root<Cache>("caches/first").buffer = static_cast<const char*>(mapped);
  revenant::sync();
}

__attribute__((noinline)) void keep_across_a_sleep(int, revenant::mutex&, const char* text) {
  const char* volatile kept = text;
  revenant::this_thread::sleep_for(20ms);
  if (kept == nullptr) std::abort();
}

void volatile_frame() {
  revenant::thread reader({.name = "reader"}, [] {
    static revenant::mutex passed;
    keep_across_a_sleep(1, passed, volatile_text());
  });
  revenant::sync();
  reader.join();
}

REVENANT_PERSISTENT Cache persistent;
Cache ordinary;

// Nothing in it is volatile, whatever the runtime does meanwhile.
void nothing_volatile() {
  revenant::root<std::vector<Cache*>>("of the program") = {&persistent, &ordinary};
  auto& words = revenant::root<std::map<std::string, std::vector<std::string>>>("words");
  revenant::thread writer({.name = "writer"}, [&words] {
    for (int i = 0; i < 40; ++i) {
      words[std::to_string(i)].push_back(std::string(100, 'x'));
      revenant::this_thread::sleep_for(1ms);
    }
  });
  for (int i = 0; i < 20; ++i) revenant::print("{} {}\n", i, revenant::sync());
}

void exit_code() { std::exit(42); }

struct Case {
  std::string_view name;
  void (*make)();
};

// No map: its nodes would be volatile, and main's frame would hold their addresses.
constexpr Case kCases[] = {
    {"overflow", overflow},
    {"uncaught", uncaught},
    {"use_after_free", use_after_free},
    {"double_free", double_free},
    {"foreign_free", foreign_free},
    {"null_pointer", null_pointer},
    {"foreign_unlock", foreign_unlock},
    {"volatile_object", volatile_object},
    {"volatile_frame", volatile_frame},
    {"volatile_among_freed", volatile_among_freed},
    {"volatile_file", volatile_file},
    {"nothing_volatile", nothing_volatile},
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
    const std::string_view wanted = revenant::args().at(0);
    const auto* const found =
        std::find_if(std::begin(kCases), std::end(kCases),
                     [wanted](const Case& each) { return each.name == wanted; });
    if (found == std::end(kCases)) return 99;
    revenant::sync();
    found->make();
    return 0;
  });
}
