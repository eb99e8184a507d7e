// Promises, futures and tasks between threads.
#include <fmt/format.h>

#include <future>
#include <memory>

#include "constructs.h"

namespace constructs {
namespace {

std::string promises() {
  std::promise<std::string> promise;
  std::promise<int> broken;
  std::future<std::string> future = promise.get_future();
  std::future<int> failing = broken.get_future();
  std::string got;
  at_once({[&] {
             moment();
             promise.set_value("a value that is handed over");
             moment();
             broken.set_exception(std::make_exception_ptr(std::runtime_error("or an error")));
           },
           [&] {
             got = future.get();
             try {
               failing.get();
             } catch (const std::runtime_error& error) {
               moment();
               got += std::string(", ") + error.what();
             }
           }});
  return got;
}

std::string shared_futures() {
  std::promise<int> promise;
  const std::shared_future<int> future = promise.get_future().share();
  std::vector<int> got(3);
  std::vector<std::function<void()>> functions;
  for (std::size_t i = 0; i < 3; ++i)
    functions.emplace_back([&got, future, i] { got[i] = future.get(); });
  functions.emplace_back([&] {
    moment();
    REQUIRE(future.wait_for(std::chrono::milliseconds(1)) == std::future_status::timeout);
    promise.set_value(14);
  });
  at_once(functions);
  return fmt::format("{}", got[0] + got[1] + got[2]);
}

std::string packaged_tasks() {
  std::packaged_task<int(int)> task([text = std::string(60, 'p')](int n) {
    moment();
    return n + static_cast<int>(text.size());
  });
  std::future<int> future = task.get_future();
  at_once({[&task] {
    moment();
    task(5);
  }});
  moment();
  return fmt::format("{}", future.get());
}

// std::async without a policy runs its function when asked for the value; with launch::async it
// wants a thread of the system.
std::string async() {
  std::future<int> lazy = std::async(std::launch::deferred, [] {
    moment();
    return 6;
  });
  moment();
  std::future<int> either = std::async([] {
    moment();
    return 7;
  });
  moment();
  return fmt::format("{}", lazy.get() * either.get());
}

}  // namespace

std::vector<Case> futures() {
  return {{"promises", promises},
          {"shared_futures", shared_futures},
          {"packaged_tasks", packaged_tasks},
          {"async", async}};
}

}  // namespace constructs
