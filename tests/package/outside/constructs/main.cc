// `constructs again [CASE...]` runs the cases (all, if none is named) in a green thread each, again
// and again; a line says when a snapshot has them all. Started as `constructs once`, it brings them
// to an end, and prints what came of each and how many deaths it has seen.
// `constructs ordinary [CASE...]` runs them one by one in a process like any other.
#include <revenant/revenant.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <thread>

#include "constructs.h"

namespace constructs {

namespace {

bool is_green() { return revenant::this_thread::get_id() != revenant::thread::id(); }

// The cases that are named, all if none is.
std::vector<Case> chosen(const std::vector<std::string_view>& names) {
  std::vector<Case> found;
  for (const auto& family :
       {sequences(),       associative(), views(),      smart_pointers(), values(),
        memory(),          resources(),   text(),       numbers(),        types(),
        exceptions(),      frames(),      coroutines(), algorithms(),     pipelines(),
        synchronisation(), futures(),     c_library(),  archives(),       fresh()}) {
    for (const Case& each : family) {
      const bool is_named = std::find(names.begin(), names.end(), each.name) != names.end();
      if (names.empty() || is_named) found.push_back(each);
    }
  }
  REQUIRE(names.empty() || found.size() == names.size());
  return found;
}

struct Outcome {
  std::string result;
  unsigned long deaths = 0;
};

// Until the last life: each death meets every case half-way.
void repeat(const Case& one, Outcome& outcome) {
  do {
    const unsigned long born = lives();
    const std::string result = one.run();
    if (outcome.result.empty()) outcome.result = result;
    if (result != outcome.result) {
      std::fprintf(stderr, "%s: %s\nbefore: %s\n", one.name, result.c_str(),
                   outcome.result.c_str());
      std::_Exit(1);
    }
    outcome.deaths += lives() - born;
  } while (revenant::args().at(0) == "again");
}

void run_green() {
  std::vector<std::string_view> names = revenant::args();
  REQUIRE(!names.empty());
  names.erase(names.begin());
  const std::vector<Case> cases = chosen(names);
  std::vector<Outcome> outcomes(cases.size());
  std::vector<revenant::thread> threads;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    threads.emplace_back(
        revenant::thread::attributes{.name = cases[i].name, .stack_size = std::size_t{2} << 20},
        [&cases, &outcomes, i] { repeat(cases[i], outcomes[i]); });
  }
  revenant::this_thread::yield();
  revenant::sync();
  revenant::print("all have begun\n");
  threads.clear();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    revenant::print("{}: {}\n", cases[i].name, outcomes[i].result);
    revenant::print("{} deaths of {}\n", outcomes[i].deaths, cases[i].name);
  }
}

}  // namespace

void moment() {
  if (!is_green()) return;
  revenant::this_thread::sleep_for(std::chrono::microseconds(::arc4random() % 10000));
}

void at_once(const std::vector<std::function<void()>>& functions) {
  if (is_green()) {
    std::vector<revenant::thread> threads;
    for (const auto& function : functions) threads.emplace_back(std::ref(function));
  } else {
    std::vector<std::jthread> threads;
    for (const auto& function : functions) threads.emplace_back(std::ref(function));
  }
}

unsigned long lives() { return is_green() ? revenant::generation() : 1; }

}  // namespace constructs

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "ordinary") == 0) {
    for (const auto& each : constructs::chosen({argv + 2, argv + argc})) {
      std::printf("%s: %s\n", each.name, each.run().c_str());
    }
    return 0;
  }
  return revenant::run(argc, argv, constructs::run_green);
}
