// Strings of references to pages, of the kinds that replacement policies are compared by.
//
//   zipf      the k-th most popular page is referenced 1/k as often as the first
//   hot_scan  nine in ten go to an eighth of the pages; runs of a scan over all lie between
//   loop      all pages in order, again and again
//   phases    nearly all go to an eighth of the pages, which is another one after a while
//   walk      anywhere, and on from there: 1 to 255 pages in order (apps/pagewalk)
//
// Threads: any. Errors: none.
#pragma once

#include <string_view>
#include <vector>

#include "bench/support/replacement_policies.h"

namespace revenant::bench {

struct NamedString {
  std::string_view name;
  References (*make)(std::size_t length, std::uint32_t pages);
};

[[nodiscard]] const std::vector<NamedString>& reference_strings();

}  // namespace revenant::bench
