#include "runtime/capture_check_linux.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vm/space.h"

namespace revenant::runtime {
namespace {

struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string name;
};

// The mappings whose contents a restart does not bring back. Static storage is none of them: it
// lies at the same address in every process, and is as fresh there as its owner expects.
bool is_volatile(const Mapping& mapping) {
  // A sanitizer's shadow covers what is a number as soon as an address.
  constexpr std::uintptr_t kLargestHeap = std::uintptr_t{1} << 40;
  if (mapping.end - mapping.begin > kLargestHeap) return false;
  if (vm::kSpaceRun.contains(base::PageNumber::of(mapping.begin))) return false;
  return mapping.name.empty() || mapping.name == "[heap]" || mapping.name == "[stack]" ||
         mapping.name.starts_with("[anon:");
}

std::optional<Mapping> parse(const std::string& line) {
  Mapping mapping;
  std::uint64_t inode = 0;
  int name_at = 0;
  if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %" SCNu64 " %n",
                  &mapping.begin, &mapping.end, &inode, &name_at) != 3) {
    return std::nullopt;
  }
  mapping.name = line.substr(std::min<std::size_t>(static_cast<std::size_t>(name_at), line.size()));
  return mapping;
}

// The executable's .bss continues its last file mapping as an anonymous one.
std::vector<Mapping> volatile_mappings() {
  std::vector<Mapping> found;
  std::ifstream maps("/proc/self/maps");
  std::string line;
  std::uintptr_t end_of_executable = 0;
  while (std::getline(maps, line)) {
    const std::optional<Mapping> mapping = parse(line);
    if (!mapping) continue;
    const bool continues = mapping->name.empty() && mapping->begin == end_of_executable;
    if (continues || mapping->name.starts_with('/')) {
      end_of_executable = mapping->end;
    } else if (is_volatile(*mapping)) {
      found.push_back(*mapping);
    }
  }
  return found;
}

const char* describe(const Mapping& mapping, std::uintptr_t own_stack) {
  if (own_stack >= mapping.begin && own_stack < mapping.end) return "the caller's stack";
  if (mapping.name == "[heap]") return "the process's heap";
  return "memory of this process";
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
  const std::vector<Mapping> mappings = volatile_mappings();
  const auto* bytes = static_cast<const std::byte*>(main.object);
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= main.size; at += sizeof at) {
    std::uintptr_t word = 0;
    std::memcpy(&word, bytes + at, sizeof word);
    const auto found = std::find_if(mappings.begin(), mappings.end(), [&](const Mapping& mapping) {
      return word >= mapping.begin && word < mapping.end;
    });
    if (found == mappings.end() || !copied.hold(word)) continue;
    return base::Error{
        base::ErrorCode::kUsage,
        fmt::format("main's captures hold, {} bytes from their beginning, the address {:#x} in {}, "
                    "which a restart does not bring back; capture by value, and make in main what "
                    "has to be allocated",
                    at, word, describe(*found, own_stack))};
  }
  return {};
}

}  // namespace revenant::runtime
