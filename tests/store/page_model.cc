#include "tests/store/page_model.h"

#include <cstring>

#include "store/verify.h"

namespace revenant::store {
namespace {

constexpr std::uint64_t kSpace = 0x560000000000ull >> base::kPageShift;
// The low window, three places of the space, and both ends of the 48 bits.
constexpr std::array<std::uint64_t, 6> kClusters{
    0x400000ull >> base::kPageShift, kSpace, kSpace + (8ull << 18),
    kSpace + (300ull << 18),         0,      (1ull << 36) - 64};

std::uint64_t random_page(std::mt19937_64& random) {
  return kClusters[random() % kClusters.size()] + random() % 64;
}

}  // namespace

Frame frame_of(std::uint64_t stamp) {
  Frame frame;
  for (std::size_t at = 0; at < frame.size(); at += sizeof stamp) {
    const std::uint64_t word = stamp * 0x9E3779B97F4A7C15ull + at;
    std::memcpy(frame.data() + at, &word, sizeof word);
  }
  return frame;
}

std::vector<Change> random_changes(std::mt19937_64& random, std::size_t most) {
  std::vector<Change> changes(random() % (most + 1));
  for (Change& change : changes) {
    change.is_drop = random() % 8 == 0;
    const std::uint64_t count = change.is_drop ? random() % 40 : 1;
    change.run = {{random_page(random)}, {count}};
    change.stamp = random();
  }
  // Now and then a run that takes whole subtrees away.
  if (random() % 16 == 0) changes.push_back({true, {{kSpace}, {1ull << 22}}, 0});
  return changes;
}

void apply(const Change& change, Pages& pages) {
  if (change.is_drop) {
    pages.erase(pages.lower_bound(change.run.first.value),
                pages.lower_bound(change.run.end().value));
  } else {
    pages[change.run.first.value] = change.stamp;
  }
}

base::Status apply(const Change& change, EpochWriter& writer) {
  if (change.is_drop) return writer.drop(change.run);
  const Frame frame = frame_of(change.stamp);
  return writer.put(change.run.first, frame.data(), hash_page(frame.data()));
}

base::Result<base::Epoch> commit_a_page(Store& store, std::uint64_t stamp) {
  EpochWriter& writer = store.begin_epoch();
  const base::Status put = apply({.run = {{1}, {1}}, .stamp = stamp}, writer);
  if (put.ok()) return writer.commit({});
  writer.abort();
  return put.error();
}

std::string difference(const SnapshotView& view, const Pages& pages) {
  Frame frame;
  Pages left = pages;
  std::string found;
  const auto visit = [&](base::PageNumber page, const PageReference& reference) {
    const auto at = left.find(page.value);
    if (at == left.end()) {
      found = "page " + std::to_string(page.value) + " should not be there";
    } else if (reference.birth > view.record().revision) {
      found = "page " + std::to_string(page.value) + " is too young";
    } else {
      auto read = view.read(page, frame.data());
      if (!read.ok()) found = read.error().message;
      if (read.ok() && (!*read || frame != frame_of(at->second))) {
        found = "page " + std::to_string(page.value) + " has wrong contents";
      }
      left.erase(at);
    }
    return found.empty();
  };
  const base::Status walked = view.for_each_page(kAllPages, visit);
  if (!walked.ok()) return walked.error().message;
  if (!found.empty()) return found;
  if (!left.empty()) return "page " + std::to_string(left.begin()->first) + " is missing";
  return view.record().pages_total == pages.size() ? "" : "the record counts other pages";
}

std::string findings(const History& history) {
  std::string found;
  const auto report =
      verify_all(history, {.finding = [&](const Finding& finding) {
                   found += std::to_string(finding.revision.value) + ": " + finding.what + "\n";
                 }});
  return report.ok() ? found : report.error().message;
}

StoreOptions small_options(const std::filesystem::path& path) {
  return {.path = path, .program = "test", .map_bytes = 4ull << 30};
}

}  // namespace revenant::store
