#include "stamp.h"

#include <fmt/format.h>

#include "../mix.h"

namespace pagewalk {
namespace {

constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;

std::uint64_t word_of(std::uint64_t address, Version version, std::size_t k) {
  if (version == 0) return 0;  // S1
  if (k == 0) return address;
  return k == 1 ? version : mix(address ^ mix(version)) + k * kStep;
}

std::uint64_t address_of(const Page& page) { return reinterpret_cast<std::uintptr_t>(&page); }

std::size_t first_wrong_word(const Page& page, std::uint64_t address, std::uint64_t version) {
  std::size_t k = 0;
  while (k < kWords && page.words[k] == word_of(address, static_cast<Version>(version), k)) ++k;
  return k;
}

std::string describe(const Page& page, Version due) {
  const std::uint64_t address = page.words[0];
  const std::uint64_t version = page.words[1];
  const bool whole =
      (address != 0 || version == 0) && first_wrong_word(page, address, version) == kWords;
  if (!whole) {
    return fmt::format("is torn: word {} is not that of version {}, which was written last",
                       first_wrong_word(page, address_of(page), due), due);
  }
  if (version != 0 && address != address_of(page)) {
    return fmt::format("holds the page of {:#x}, version {}", address, version);
  }
  return version < due ? fmt::format("lost a write: it holds version {}, and {} was written last",
                                     version, due)
                       : fmt::format("holds version {}, and only {} were written", version, due);
}

}  // namespace

void stamp(Page& page, Version version, std::size_t from, std::size_t to) {
  const std::uint64_t base = word_of(address_of(page), version, 2) - 2 * kStep;
  for (std::size_t k = from; k < to; ++k) page.words[k] = base + k * kStep;
  for (std::size_t k = from; k < to && k < 2; ++k) {
    page.words[k] = word_of(address_of(page), version, k);
  }
}

std::optional<std::string> find_fault(const Page& page, Version version) {
  const std::uint64_t step = version == 0 ? 0 : kStep;
  const std::uint64_t base = word_of(address_of(page), version, 2) - 2 * step;
  std::uint64_t differing = page.words[0] ^ word_of(address_of(page), version, 0);
  differing |= page.words[1] ^ word_of(address_of(page), version, 1);
  for (std::size_t k = 2; k < kWords; ++k) differing |= page.words[k] ^ (base + k * step);
  if (differing == 0) return std::nullopt;
  return fmt::format("the page at {:#x} {}", address_of(page), describe(page, version));
}

}  // namespace pagewalk
