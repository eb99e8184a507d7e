// The oracle of the store's tests: what each revision holds, kept without a store.
//
// A page's contents follow from its stamp, so a model of a revision is a map from pages to stamps.
// Comparisons read every page of a snapshot back, and look at the pages beside them, too.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/units.h"
#include "store/store.h"

namespace revenant::store {

using Frame = std::array<std::byte, base::kPageSize>;
using Pages = std::map<std::uint64_t, std::uint64_t>;  // page number -> stamp

// The page whose every word follows from `stamp`.
Frame frame_of(std::uint64_t stamp);

struct Change {
  bool is_drop = false;
  base::PageRun run;  // one page for a put
  std::uint64_t stamp = 0;
};

// Random changes over a few clusters of pages that are near, far apart and at the edges.
std::vector<Change> random_changes(std::mt19937_64& random, std::size_t most);

void apply(const Change& change, Pages& pages);
base::Status apply(const Change& change, EpochWriter& writer);

// Commits an epoch that changes page 1 only.
base::Result<base::Epoch> commit_a_page(Store& store, std::uint64_t stamp);

// Empty if the snapshot holds exactly `pages`; else what differs.
std::string difference(const SnapshotView& view, const Pages& pages);

// Empty if verification of the whole store finds nothing; else what it finds.
std::string findings(const History& history);

// Options that leave room for the sanitizers' shadow memory.
StoreOptions small_options(const std::filesystem::path& path);

}  // namespace revenant::store
