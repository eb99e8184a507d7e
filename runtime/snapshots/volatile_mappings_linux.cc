#include "runtime/snapshots/volatile_mappings_linux.h"

#include <link.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <optional>

#include "base/units.h"
#include "runtime/threads/os_thread_linux.h"
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
  return is_file(mapping) || mapping.name.empty() || mapping.name == "[heap]" ||
         mapping.name == "[stack]" || mapping.name.starts_with("[anon:");
}

// Where the program and its libraries were loaded, .bss and low window included: a mapping's name
// and place do not tell.
struct Image {
  std::uintptr_t begin = UINTPTR_MAX;
  std::uintptr_t end = 0;
};

int note_image(dl_phdr_info* info, std::size_t, void* images) {
  Image image;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    const auto pages = base::PageCount::holding(header.p_memsz + begin % base::kPageSize);
    const base::PageNumber first = base::PageNumber::of(begin);
    image.begin = std::min(image.begin, first.address());
    image.end = std::max(image.end, (first + pages).address());
  }
  static_cast<std::vector<Image>*>(images)->push_back(image);
  return 0;
}

// What the kernel has joined to an image, as the heap to .bss, is not of it.
void leave_out(const std::vector<Image>& images, Mapping& mapping) {
  for (const Image& image : images) {
    if (mapping.begin >= image.begin && mapping.begin < image.end) {
      mapping.begin = std::min(mapping.end, image.end);
    }
  }
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
  std::vector<Image> images;
  ::dl_iterate_phdr(note_image, &images);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::optional<Mapping> mapping = parse(line);
    if (!mapping) continue;
    leave_out(images, *mapping);
    if (mapping->begin < mapping->end && is_volatile(*mapping)) mappings_.push_back(*mapping);
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
