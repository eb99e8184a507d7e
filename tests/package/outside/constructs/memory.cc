// Memory as one asks for it: big alignments, placement, operators of one's own, allocators.
#include <fmt/ranges.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <new>

#include "constructs.h"

namespace constructs {
namespace {

bool is_aligned(const void* address, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

struct alignas(4096) PageOfNumbers {
  int numbers[1024];
};
struct alignas(64) Line {
  long words[8];
};

std::string alignments() {
  alignas(4096) PageOfNumbers local;  // aligned on a green thread's stack
  local.numbers[1023] = 3;
  const auto page = std::make_unique<PageOfNumbers>();
  std::vector<Line> lines(33);
  void* posix = nullptr;
  REQUIRE(::posix_memalign(&posix, 1 << 16, 100000) == 0);
  void* const c11 = std::aligned_alloc(256, 1024);
  moment();
  std::memset(posix, 5, 100000);
  page->numbers[1000] = 7;
  moment();
  REQUIRE(is_aligned(&local, 4096) && is_aligned(page.get(), 4096) && is_aligned(lines.data(), 64));
  REQUIRE(is_aligned(posix, 1 << 16) && is_aligned(c11, 256));
  const int sum = local.numbers[1023] + page->numbers[1000] + static_cast<char*>(posix)[99999];
  std::free(posix);
  std::free(c11);
  return fmt::format("{}", sum);
}

// Counts what lives of it, by operators new and delete of its own, from a pool of its own.
class Pooled {
 public:
  struct Pool {
    alignas(16) unsigned char slots[64][16];
    std::vector<void*> free;
    int taken = 0;
  };

  explicit Pooled(int number) : number_(number) {}
  [[nodiscard]] int number() const { return number_; }

  static void* operator new(std::size_t, Pool& pool) {
    ++pool.taken;
    void* const slot = pool.free.back();
    pool.free.pop_back();
    return slot;
  }
  static void operator delete(void* slot, Pool& pool) { pool.free.push_back(slot); }

 private:
  int number_;
};

std::string class_operators() {
  const auto pool = std::make_unique<Pooled::Pool>();
  for (auto& slot : pool->slots) pool->free.push_back(slot);
  std::vector<Pooled*> objects;
  for (int i = 0; i < 40; ++i) {
    objects.push_back(new (*pool) Pooled(i * i));
    if (i % 10 == 0) moment();
  }
  long sum = 0;
  for (Pooled* object : objects) {
    sum += object->number();
    object->~Pooled();
    Pooled::operator delete(object, *pool);
  }
  moment();
  REQUIRE(pool->free.size() == 64 && pool->taken == 40);
  return fmt::format("sum {}", sum);
}

std::string placement() {
  alignas(std::string) std::byte room[sizeof(std::string) * 3];
  std::vector<std::string*> made;
  for (std::size_t i = 0; i < 3; ++i) {
    made.push_back(new (room + i * sizeof(std::string)) std::string(50 * i, 'p'));
    moment();
  }
  std::string all;
  for (std::string* each : made) {
    all += *each;
    std::destroy_at(each);
  }
  std::construct_at(made[1], "again");
  moment();
  all += *made[1];
  std::destroy_at(made[1]);
  return fmt::format("{} bytes, {}", all.size(), all.substr(all.size() - 6));
}

// An allocator that knows whom it works for: containers carry it, and pass it on to what they hold.
struct Ledger {
  std::map<std::string, long> bytes;
};
template <class T>
struct Tracked {
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  Tracked(Ledger& its_ledger, std::string its_name)
      : ledger(&its_ledger), name(std::move(its_name)) {}
  template <class U>
  Tracked(const Tracked<U>& other) : ledger(other.ledger), name(other.name) {}
  T* allocate(std::size_t count) {
    ledger->bytes[name] += static_cast<long>(count * sizeof(T));
    return static_cast<T*>(::operator new(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) {
    ledger->bytes[name] -= static_cast<long>(count * sizeof(T));
    ::operator delete(block);
  }
  template <class U>
  bool operator==(const Tracked<U>& other) const {
    return ledger == other.ledger && name == other.name;
  }
  Ledger* ledger;
  std::string name;
};

std::string allocators() {
  Ledger ledger;
  {
    std::vector<long, Tracked<long>> numbers(Tracked<long>(ledger, "numbers"));
    std::map<int, int, std::less<>, Tracked<std::pair<const int, int>>> pairs(
        Tracked<std::pair<const int, int>>(ledger, "pairs"));
    for (int i = 0; i < 500; ++i) {
      numbers.push_back(i);
      pairs[i % 70] += i;
      if (i % 100 == 0) moment();
    }
    REQUIRE(ledger.bytes["numbers"] == 512 * 8 && ledger.bytes["pairs"] >= 70 * 8);
    auto moved = std::move(numbers);
    moment();
    REQUIRE(moved.size() == 500 && pairs.size() == 70);
  }
  return fmt::format("{}", ledger.bytes);
}

// More than there is address space for is refused, and the program goes on; the sanitizers' malloc
// ends it.
bool too_much_is_refused() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  volatile std::size_t far_too_much = SIZE_MAX / 4;
  if (new (std::nothrow) char[far_too_much] != nullptr) return false;
  moment();
  try {
    const std::vector<char> room(far_too_much);
    return room.empty();
  } catch (const std::bad_alloc&) {
    moment();
    return true;
  }
#endif
}

std::string nothrow_and_sizes() {
  const bool refused = too_much_is_refused();
  auto* grown = static_cast<char*>(std::calloc(10, 10));
  std::memset(grown, 'g', 100);
  moment();
  grown = static_cast<char*>(std::realloc(grown, 1000000));
  moment();
  const std::string kept(grown, 100);
  std::free(grown);
  REQUIRE(kept == std::string(100, 'g'));
  return fmt::format("{}", refused);
}

}  // namespace

std::vector<Case> memory() {
  return {{"alignments", alignments},
          {"class_operators", class_operators},
          {"placement", placement},
          {"allocators", allocators},
          {"nothrow_and_sizes", nothrow_and_sizes}};
}

}  // namespace constructs
