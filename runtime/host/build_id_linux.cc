#include "runtime/host/build_id_linux.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace revenant::runtime {
namespace {

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; }

std::optional<store::BuildId> find_in_notes(const char* note, std::size_t size) {
  const char* end = note + size;
  while (note + sizeof(ElfW(Nhdr)) <= end) {
    ElfW(Nhdr) header;
    std::memcpy(&header, note, sizeof header);
    const char* name = note + sizeof header;
    const char* contents = name + aligned(header.n_namesz);
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
        std::string_view(name, 3) == "GNU") {
      store::BuildId id{};
      std::memcpy(id.data(), contents, std::min<std::size_t>(id.size(), header.n_descsz));
      return id;
    }
    note = contents + aligned(header.n_descsz);
  }
  return std::nullopt;
}

// The first object that is reported is the program itself.
int visit_program(dl_phdr_info* info, std::size_t, void* context) {
  auto& found = *static_cast<std::optional<store::BuildId>*>(context);
  for (int i = 0; i < info->dlpi_phnum && !found.has_value(); ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    found = find_in_notes(reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr),
                          header.p_memsz);
  }
  return 1;
}

}  // namespace

base::Result<store::BuildId> own_build_id() {
  std::optional<store::BuildId> found;
  ::dl_iterate_phdr(visit_program, &found);
  if (found.has_value()) return *found;
  return base::Error{base::ErrorCode::kUnsupportedHost,
                     "this program has no build-id, which tells whether a store's threads may be "
                     "resumed; link it with -Wl,--build-id"};
}

}  // namespace revenant::runtime
