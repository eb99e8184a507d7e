// Ownership: who is counted, who is not, and what is done when the last one goes.
#include <fmt/ranges.h>

#include <memory>

#include "constructs.h"

namespace constructs {
namespace {

struct Person {
  explicit Person(std::string its_name, int* ended) : name(std::move(its_name)), gone(ended) {}
  ~Person() { ++*gone; }
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;

  std::string name;
  std::vector<std::shared_ptr<Person>> friends;
  std::weak_ptr<Person> best;
  int* gone;
};

std::string shared_cycles() {
  int gone = 0;
  std::weak_ptr<Person> watched;
  {
    auto first = std::make_shared<Person>("first", &gone);
    auto second = std::make_shared<Person>("second", &gone);
    first->friends.push_back(second);
    second->friends.push_back(first);
    second->best = first;
    watched = second;
    moment();
    REQUIRE(first.use_count() == 2 && second->best.lock() == first);
  }
  moment();
  // The cycle keeps itself alive, as it does anywhere, until it is cut.
  const auto second = watched.lock();
  REQUIRE(second != nullptr && gone == 0);
  second->friends.front()->friends.clear();
  moment();
  second->friends.clear();
  REQUIRE(gone == 1 && second->best.expired());
  return fmt::format("{} left of {}", second.use_count(), second->name);
}

struct Counted : std::enable_shared_from_this<Counted> {
  std::shared_ptr<Counted> itself() { return shared_from_this(); }
  int number = 5;
};

std::string shared_from_this() {
  auto one = std::make_shared<Counted>();
  Counted* const plain = one.get();
  moment();
  const auto another = plain->itself();
  one.reset();
  moment();
  const auto third = plain->weak_from_this().lock();
  return fmt::format("{} owners of {}", another.use_count(), third->number);
}

std::string aliasing() {
  struct Pair {
    std::string key = "the key";
    std::vector<int> values = {1, 2, 3};
  };
  auto whole = std::make_shared<Pair>();
  const std::shared_ptr<std::vector<int>> part(whole, &whole->values);
  const std::shared_ptr<const void> anything = part;
  whole.reset();
  moment();
  part->push_back(4);
  moment();
  REQUIRE(part.use_count() == 2 && anything.get() == part.get());
  return fmt::format("{}", *part);
}

std::string stateful_deleters() {
  std::vector<std::string> log;
  struct Logging {
    std::vector<std::string>* log;
    std::string name;
    void operator()(const int* number) const {
      log->push_back(fmt::format("{} {}", name, *number));
      delete number;
    }
  };
  {
    std::unique_ptr<int, Logging> one(new int(1), Logging{&log, "unique"});
    const std::shared_ptr<int> two(new int(2),
                                   Logging{&log, "shared, with a name that is allocated"});
    const std::unique_ptr<int, std::function<void(int*)>> three(new int(3),
                                                                [&log](const int* number) {
                                                                  log.push_back("function");
                                                                  delete number;
                                                                });
    moment();
    one = std::unique_ptr<int, Logging>(new int(4), Logging{&log, "later"});
    moment();
  }
  return fmt::format("{}", log);
}

std::string pointers_to_arrays() {
  const auto unique = std::make_unique<std::string[]>(10);
  const std::shared_ptr<int[]> shared(new int[100]());
  for (std::size_t i = 0; i < 10; ++i) {
    unique[i] = std::string(40, static_cast<char>('a' + i));
    shared[static_cast<long>(i * i)] = static_cast<int>(i);
    if (i % 3 == 0) moment();
  }
  int sum = 0;
  for (int i = 0; i < 100; ++i) sum += shared[i];
  REQUIRE(sum == 45);
  return unique[7];
}

// A list a thousand links deep is freed by its destructor's recursion.
std::string owned_list() {
  struct Link {
    int number;
    std::unique_ptr<Link> next;
  };
  std::unique_ptr<Link> head;
  for (int i = 0; i < 1000; ++i) {
    head = std::make_unique<Link>(Link{i, std::move(head)});
    if (i % 200 == 0) moment();
  }
  long sum = 0;
  for (const Link* link = head.get(); link != nullptr; link = link->next.get()) sum += link->number;
  REQUIRE(sum == 499500);
  head.reset();
  moment();
  return fmt::format("sum {}", sum);
}

}  // namespace

std::vector<Case> smart_pointers() {
  return {{"shared_cycles", shared_cycles},
          {"shared_from_this", shared_from_this},
          {"aliasing", aliasing},
          {"stateful_deleters", stateful_deleters},
          {"pointers_to_arrays", pointers_to_arrays},
          {"owned_list", owned_list}};
}

}  // namespace constructs
