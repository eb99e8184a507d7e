// An image made by hand, with a world, threads and roots in it: sound, or as hostile as a test
// likes.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "cli/image.h"
#include "objects/world.h"
#include "runtime/threads/thread_record.h"

namespace revenant::cli {

// Where the image's own objects may lie: anywhere in the heap.
inline constexpr std::uintptr_t kHeapAddress = objects::kHeapBegin;

// The three words of a list's hook, and the four of a table of threads, as the formats have them.
struct HookBytes {
  std::uint64_t previous = 0;
  std::uint64_t next = 0;
  std::uint64_t list = 0;
};
static_assert(sizeof(HookBytes) == sizeof(base::ListHook));

struct TableBytes {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size = 0;
  std::uint64_t next_id = 0;
};
static_assert(sizeof(TableBytes) == sizeof(runtime::ThreadTable));

class FakeImage final : public ImageSource {
 public:
  // Absent pages read as zeros.
  base::Status read(std::uintptr_t address, void* target, std::size_t size) const override {
    for (std::size_t i = 0; i < size; ++i) {
      const auto page = pages_.find((address + i) >> base::kPageShift);
      static_cast<char*>(target)[i] =
          page == pages_.end() ? '\0' : page->second[(address + i) % base::kPageSize];
    }
    return {};
  }
  [[nodiscard]] std::string name() const override { return "the fake image"; }

  void write(std::uintptr_t address, const void* source, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      auto& page = pages_[(address + i) >> base::kPageShift];
      page.resize(base::kPageSize);
      page[(address + i) % base::kPageSize] = static_cast<const char*>(source)[i];
    }
  }
  template <class T>
  void put(std::uintptr_t address, const T& value) {
    write(address, &value, sizeof value);
  }

  // Every byte there is, page by page, to be damaged.
  std::map<std::uint64_t, std::vector<char>>& pages() { return pages_; }

  // A world without roots and threads.
  void put_world();
  void put_thread(std::uintptr_t address, std::uintptr_t next, std::uint64_t id,
                  std::string_view name);
  void put_table(std::uintptr_t first, std::uint64_t size);

  struct RootLinks {
    std::uintptr_t left = 0;
    std::uintptr_t right = 0;
    std::uintptr_t children = 0;
  };
  void put_root(std::uintptr_t address, std::string_view name, std::uintptr_t object,
                const RootLinks& links, objects::TypeId type = objects::kUnknownType);
  void put_top_root(std::uintptr_t address);
  // A type that the world's table leads to.
  void put_type(objects::TypeId id, std::uintptr_t address, std::string_view readable);

 private:
  std::map<std::uint64_t, std::vector<char>> pages_;
};

}  // namespace revenant::cli
