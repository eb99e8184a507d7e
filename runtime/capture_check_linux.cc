#include "runtime/capture_check_linux.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime/snapshots/volatile_mappings_linux.h"

namespace revenant::runtime {
namespace {

std::string where(const VolatileMappings::Mapping& mapping, std::uintptr_t own_stack) {
  const bool own = own_stack >= mapping.begin && own_stack < mapping.end;
  return own ? "the caller's stack" : describe(mapping);
}

// The words of a copy of main, wherever in the task the captures lie.
class CopiedWords {
 public:
  explicit CopiedWords(const detail::main_function& main) : copy_(main.make(main.object)) {
    const void* block = dynamic_cast<const void*>(copy_.get());
    words_.resize(::malloc_usable_size(const_cast<void*>(block)) / sizeof(std::uintptr_t));
    std::memcpy(words_.data(), block, words_.size() * sizeof(std::uintptr_t));
  }
  [[nodiscard]] bool hold(std::uintptr_t word) const {
    return std::find(words_.begin(), words_.end(), word) != words_.end();
  }

 private:
  std::unique_ptr<detail::task> copy_;
  std::vector<std::uintptr_t> words_;
};

}  // namespace

base::Status check_captures(const detail::main_function& main) {
  const auto own_stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  if (main.size < sizeof(std::uintptr_t)) return {};
  const CopiedWords copied(main);
  VolatileMappings mappings;
  mappings.read();
  const auto* bytes = static_cast<const std::byte*>(main.object);
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= main.size; at += sizeof at) {
    std::uintptr_t word = 0;
    std::memcpy(&word, bytes + at, sizeof word);
    const VolatileMappings::Mapping* found = mappings.find(word);
    if (found == nullptr || !copied.hold(word)) continue;
    return base::Error{
        base::ErrorCode::kUsage,
        fmt::format("main's captures hold, {} bytes from their beginning, the address {:#x} in {}, "
                    "which a restart does not bring back; capture by value, and make in main what "
                    "has to be allocated",
                    at, word, where(*found, own_stack))};
  }
  return {};
}

}  // namespace revenant::runtime
