// std::pmr: resources and what is allocated from them outlive the process together.
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <memory_resource>

#include "constructs.h"

namespace constructs {
namespace {

long fill_and_sum(std::pmr::memory_resource* resource) {
  std::pmr::map<int, std::pmr::vector<std::pmr::string>> index(resource);
  for (int i = 0; i < 120; ++i) {
    index[i % 12].emplace_back(fmt::format("a string of number {} that is not small", i));
    if (i % 20 == 0) moment();
  }
  long sum = 0;
  for (auto& [key, strings] : index) {
    REQUIRE(strings.get_allocator().resource() == resource && strings.size() == 10);
    if (key % 4 == 0) moment();
    for (const auto& string : strings) sum += key + static_cast<long>(string.size());
  }
  return sum;
}

std::string monotonic() {
  std::array<std::byte, 2048> buffer;
  std::pmr::monotonic_buffer_resource resource(buffer.data(), buffer.size());
  const long first = fill_and_sum(&resource);
  resource.release();
  REQUIRE(fill_and_sum(&resource) == first);
  return fmt::format("{}", first);
}

std::string unsynchronized_pool() {
  std::pmr::unsynchronized_pool_resource resource(
      {.max_blocks_per_chunk = 16, .largest_required_pool_block = 512});
  const long first = fill_and_sum(&resource);
  REQUIRE(fill_and_sum(&resource) == first);
  return fmt::format("{}", first);
}

// Each thread has pools of its own, which it finds by a key of pthread's; they outlive the thread.
std::string synchronized_pool() {
  std::pmr::synchronized_pool_resource resource(
      {.max_blocks_per_chunk = 16, .largest_required_pool_block = 512});
  const long first = fill_and_sum(&resource);
  std::pmr::vector<std::pmr::string> left(3, &resource);
  at_once({[&] { left[0].assign(200, '0'); }, [&] { left[1].assign(300, '1'); },
           [&] { REQUIRE(fill_and_sum(&resource) == first); }});
  moment();
  left[2].assign(400, '2');
  REQUIRE(left[0].back() == '0' && left[1].back() == '1' && left[2].back() == '2');
  return fmt::format("{}", first);
}

class CountingResource final : public std::pmr::memory_resource {
 public:
  [[nodiscard]] long outstanding() const { return outstanding_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    outstanding_ += static_cast<long>(bytes);
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    outstanding_ -= static_cast<long>(bytes);
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  long outstanding_ = 0;
};

std::string resource_of_ones_own() {
  CountingResource counting;
  std::pmr::monotonic_buffer_resource arena(1000, &counting);
  const long sum = fill_and_sum(&arena);
  REQUIRE(counting.outstanding() > 1000);
  arena.release();
  REQUIRE(counting.outstanding() == 0);
  return fmt::format("{}", sum);
}

std::string default_resource() {
  std::pmr::vector<int> numbers{1, 2, 3};
  std::pmr::memory_resource* const held = std::pmr::get_default_resource();
  moment();
  numbers.resize(1000, 4);
  REQUIRE(numbers.get_allocator().resource() == held && held == std::pmr::new_delete_resource());
  bool refused = false;
  try {
    (void)std::pmr::null_memory_resource()->allocate(1);
  } catch (const std::bad_alloc&) {
    refused = true;
  }
  return fmt::format("{} {}", numbers.back(), refused);
}

}  // namespace

std::vector<Case> resources() {
  return {{"monotonic_buffer", monotonic},
          {"unsynchronized_pool", unsynchronized_pool},
          {"synchronized_pool", synchronized_pool},
          {"resource_of_ones_own", resource_of_ones_own},
          {"default_resource", default_resource}};
}

}  // namespace constructs
