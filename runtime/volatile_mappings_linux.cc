#include "runtime/volatile_mappings_linux.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "runtime/os_thread_linux.h"
#include "vm/space.h"

namespace revenant::runtime {
namespace {

using Mapping = VolatileMappings::Mapping;

bool is_file(const Mapping& mapping) { return mapping.name.starts_with('/'); }

bool is_volatile(const Mapping& mapping) {
  // A sanitizer's shadow covers what is a number as soon as an address.
  constexpr std::uintptr_t kLargestHeap = std::uintptr_t{1} << 40;
  if (mapping.end - mapping.begin > kLargestHeap) return false;
  if (vm::kSpaceRun.contains(base::PageNumber::of(mapping.begin))) return false;
  if (is_on_fixed_stack(mapping.begin)) return false;
  if (is_file(mapping)) return mapping.name.find(".so") == std::string::npos;
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

}  // namespace

void VolatileMappings::read() {
  mappings_.clear();
  std::error_code unknown;
  const std::string executable = std::filesystem::read_symlink("/proc/self/exe", unknown);
  std::ifstream maps("/proc/self/maps");
  std::uintptr_t end_of_image = 0;
  for (std::string line; std::getline(maps, line);) {
    const std::optional<Mapping> mapping = parse(line);
    if (!mapping) continue;
    // A file's .bss continues its last mapping as an anonymous one.
    const bool continues = mapping->name.empty() && mapping->begin == end_of_image;
    if (continues || mapping->name == executable ||
        mapping->name.find(".so") != std::string::npos) {
      end_of_image = mapping->end;
    } else if (is_volatile(*mapping)) {
      mappings_.push_back(*mapping);
    }
  }
}

const Mapping* VolatileMappings::find(std::uintptr_t address) const {
  const auto after = std::ranges::upper_bound(mappings_, address, {}, &Mapping::begin);
  if (after == mappings_.begin()) return nullptr;
  const Mapping& candidate = *std::prev(after);
  return address < candidate.end ? &candidate : nullptr;
}

std::string describe(const Mapping& mapping) {
  if (mapping.name == "[heap]") return "the process's heap";
  if (mapping.name == "[stack]") return "the stack of the process's first thread";
  return is_file(mapping) ? "the mapped file " + mapping.name : "memory of this process";
}

}  // namespace revenant::runtime
