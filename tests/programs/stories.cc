// Things that are under way when the program is killed: `stories CASE` kills itself once its state
// is durable, goes on when started again, and exits 0 when all is as it was.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/revenant.h"
#include "tests/programs/expect.h"

using namespace std::chrono_literals;

namespace {

// Durable, and then dead; returns in the next generation.
void die_here() {
  const std::uint64_t generation = revenant::generation();
  revenant::sync();
  if (revenant::generation() == generation) ::kill(::getpid(), SIGKILL);
}

struct Shape {
  virtual ~Shape() = default;
  virtual std::string name() const = 0;
};
struct Square final : Shape {
  std::string name() const override { return "square"; }
};

void objects() {
  std::map<std::string, std::vector<int>> map;
  for (int i = 0; i < 1000; ++i) map["key " + std::to_string(i % 50)].push_back(i);
  const std::unique_ptr<Shape> shape = std::make_unique<Square>();
  const std::function<int(int)> add = [n = 40](int m) { return n + m; };
  die_here();
  EXPECT(map.size() == 50 && map["key 7"].size() == 20 && map["key 7"].back() == 957);
  EXPECT(shape->name() == "square" && dynamic_cast<Square*>(shape.get()) != nullptr);
  EXPECT(add(2) == 42);
}

REVENANT_PERSISTENT int visits = 1;
REVENANT_PERSISTENT std::vector<int>* collected = nullptr;
REVENANT_PERSISTENT std::byte untouched[3 * 4096] = {};
REVENANT_PERSISTENT std::FILE* said_to = nullptr;

void globals() {
  static REVENANT_PERSISTENT int calls = 7;
  static int forgotten = 1;
  EXPECT(visits == 1 && collected == nullptr && calls == 7 && forgotten == 1);
  visits = 5;
  collected = new std::vector<int>(1000, 3);
  calls = forgotten = 9;
  said_to = stdout;
  die_here();
  EXPECT(visits == 5 && collected->size() == 1000 && calls == 9 && forgotten == 1);
  EXPECT(untouched[4096] == std::byte{0});
  EXPECT(said_to == stdout);
}

void exception() {
  try {
    throw std::runtime_error("held over a death");
  } catch (const std::exception& first) {
    die_here();
    EXPECT(std::string(first.what()) == "held over a death");
    try {
      throw;
    } catch (const std::runtime_error& again) {
      EXPECT(&again == &first);
    }
  }
  EXPECT(std::current_exception() == nullptr);
}

void jump() {
  std::jmp_buf target;
  volatile int jumps = 0;
  if (setjmp(target) == 0) {
    die_here();
    jumps = 1;
    std::longjmp(target, 1);
  }
  EXPECT(jumps == 1);
}

__attribute__((noinline)) int deep(int depth) {
  volatile char frame[300];
  std::memset(const_cast<char*>(frame), depth & 0x7f, sizeof frame);
  if (depth == 0) {
    die_here();
    return 0;
  }
  const int below = deep(depth - 1);
  EXPECT(frame[17] == (depth & 0x7f));
  return below + 1;
}

void recursion() { EXPECT(deep(200) == 200); }

void sleepers() {
  std::vector<revenant::thread> threads;
  int woken = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i <= 5; ++i) {
    threads.emplace_back([&woken, &start, i] {
      revenant::this_thread::sleep_for(i * 50ms);
      EXPECT(std::chrono::steady_clock::now() - start >= i * 50ms);
      ++woken;
    });
  }
  die_here();
  threads.clear();
  EXPECT(woken == 5);
  EXPECT(std::chrono::steady_clock::now() - start >= 250ms);
}

void locks() {
  revenant::mutex lock;
  std::vector<int> order;
  revenant::channel<int> channel(1);
  std::unique_lock held(lock);
  std::vector<revenant::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&, i] {
      const std::lock_guard guard(lock);
      order.push_back(i);
    });
  }
  revenant::channel<std::string> stocked(3);
  revenant::thread receiver([&] { EXPECT(channel.receive() == 9); });
  for (const char* text : {"one", "two", "three"}) EXPECT(stocked.send(text));
  revenant::thread sender([&] { EXPECT(stocked.send("four")); });
  revenant::this_thread::yield();
  die_here();
  held.unlock();
  waiting.clear();
  EXPECT((order == std::vector<int>{0, 1, 2}));
  EXPECT(channel.send(9));
  for (const char* text : {"one", "two", "three", "four"}) EXPECT(stocked.receive() == text);
}

struct Settings {
  int level = 3;
  std::map<std::string, int> sizes;
};

void roots() {
  auto& settings = revenant::root<Settings>("app/settings");
  settings.sizes["large"] = 12;
  revenant::root<std::string>("app/name", "first");
  die_here();
  EXPECT(revenant::find_root<Settings>("app/settings") == &settings);
  EXPECT(settings.level == 3 && settings.sizes.at("large") == 12);
  EXPECT(revenant::root<std::string>("app/name", "second") == "first");
  bool refused = false;
  try {
    revenant::find_root<std::string>("app/settings");
  } catch (const revenant::error& error) {
    refused = error.code() == revenant::errc::wrong_type;
  }
  EXPECT(refused);
}

// Registers itself again: the one more runs from the next start on.
struct AgainHook {
  std::vector<int>* runs;
  void operator()() const {
    EXPECT(runs->size() < 3);
    runs->push_back(3);
    revenant::on_restart(*this);
  }
};

void hooks() {
  auto& runs = revenant::root<std::vector<int>>("runs");
  bool resumed = false;
  revenant::on_restart([&runs, &resumed] {
    EXPECT(!resumed);
    revenant::this_thread::sleep_for(1ms);
    runs.push_back(1);
    bool refused = false;
    try {
      revenant::sync();
    } catch (const revenant::error&) {
      refused = true;
    }
    EXPECT(refused);
  });
  revenant::on_restart([&runs] { runs.push_back(2); });
  revenant::on_restart(AgainHook{&runs});
  EXPECT(runs.empty());
  die_here();
  resumed = true;
  EXPECT((runs == std::vector<int>{1, 2, 3}));
}

void descriptors() {
  int pipes[2];
  EXPECT(::pipe(pipes) == 0);
  EXPECT(::write(pipes[1], "x", 1) == 1);
  die_here();
  errno = 0;
  EXPECT(::write(pipes[1], "y", 1) == -1 && errno == EBADF);
  char byte = 0;
  EXPECT(::read(pipes[0], &byte, 1) == -1 && errno == EBADF);
  int fresh[2];
  EXPECT(::pipe(fresh) == 0);
  EXPECT(fresh[0] != pipes[0] && fresh[0] != pipes[1]);
  EXPECT(::write(fresh[1], "z", 1) == 1 && ::read(fresh[0], &byte, 1) == 1 && byte == 'z');
}

void error_number() {
  const std::uint64_t generation = revenant::generation();
  bool is_set = false;
  const revenant::thread killer([&is_set] {
    while (!is_set) revenant::this_thread::yield();
    errno = 5;
    die_here();
  });
  errno = 77;
  is_set = true;
  // Nothing in here sets errno: in the next generation it is what was restored.
  while (revenant::generation() == generation) revenant::this_thread::yield();
  EXPECT(errno == 77);
  revenant::thread other([] { errno = 5; });
  errno = 33;
  other.join();
  EXPECT(errno == 33);
}

void many() {
  constexpr int kThreads = 5000;
  std::vector<int> counts(kThreads, 0);
  std::vector<revenant::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(
        revenant::thread::attributes{.name = "many", .stack_size = std::size_t{16} * 1024},
        [&counts, i](const std::stop_token& token) {
          ++counts[static_cast<std::size_t>(i)];
          while (!token.stop_requested()) revenant::this_thread::sleep_for(20ms);
          ++counts[static_cast<std::size_t>(i)];
        });
  }
  revenant::this_thread::sleep_for(30ms);
  die_here();
  for (revenant::thread& each : threads) each.request_stop();
  threads.clear();
  for (const int count : counts) EXPECT(count == 2);
}

void chatter() {
  for (int line = 0; line < 2000; ++line) revenant::print("line {} of much that is said\n", line);
  die_here();
}

// Many calls have been made by other OS threads and not been looked at yet, whenever it dies.
void answered_calls() {
  std::vector<revenant::thread> callers(200);
  for (revenant::thread& caller : callers) {
    caller = revenant::thread([](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const int client = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in nobody{};
        nobody.sin_family = AF_INET;
        nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        nobody.sin_port = htons(1);
        EXPECT(::connect(client, reinterpret_cast<sockaddr*>(&nobody), sizeof nobody) == -1);
        ::close(client);
      }
    });
  }
  revenant::this_thread::sleep_for(50ms);
  die_here();
  revenant::this_thread::sleep_for(50ms);
}

// The first one ends the process that has committed both, before the second has its turn.
void held_functions() {
  bool ran = false;
  revenant::after_commit([born = revenant::generation()] {
    if (revenant::generation() == born) ::kill(::getpid(), SIGKILL);
  });
  revenant::after_commit([&ran] { ran = true; });
  while (!ran) revenant::this_thread::sleep_for(1ms);
}

void held_output() {
  revenant::print_after_commit("held {}\n", 1);
  revenant::print_after_commit("held {}\n", 2);
  revenant::this_thread::sleep_for(50ms);
  die_here();
}

const std::map<std::string_view, void (*)()> kCases = {
    {"objects", objects},
    {"globals", globals},
    {"exception", exception},
    {"jump", jump},
    {"recursion", recursion},
    {"sleepers", sleepers},
    {"locks", locks},
    {"hooks", hooks},
    {"descriptors", descriptors},
    {"error_number", error_number},
    {"many", many},
    {"roots", roots},
    {"held_functions", held_functions},
    {"held_output", held_output},
    {"answered_calls", answered_calls},
    {"chatter", chatter},
};

}  // namespace

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] {
    const std::string name(revenant::args().at(0));
    const auto found = kCases.find(name);
    EXPECT(found != kCases.end());
    found->second();
    revenant::print("{} holds in generation {}\n", name, revenant::generation());
    return 7;
  });
}
