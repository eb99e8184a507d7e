#include "cli/revision.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/duration.h"

namespace revenant::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using store::SnapshotRecord;

Error no_such(std::string_view text, const std::string& cause) {
  return {ErrorCode::kNoSuchRevision, "there is no revision " + std::string(text) + ": " + cause +
                                          "; `revenant log` lists those that are there"};
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc() || rest != end) return std::nullopt;
  return number;
}

const SnapshotRecord* find_number(const Names& names, base::Epoch revision) {
  const auto found =
      std::find_if(names.snapshots.begin(), names.snapshots.end(),
                   [&](const SnapshotRecord& record) { return record.revision == revision; });
  return found == names.snapshots.end() ? nullptr : &*found;
}

Result<const SnapshotRecord*> find_age(const Names& names, std::string_view text,
                                       std::int64_t now_ns) {
  REVENANT_ASSIGN(const auto age, base::parse_duration(text.substr(1)));
  const SnapshotRecord* best = nullptr;
  for (const SnapshotRecord& record : names.snapshots) {  // R2
    if (now_ns - record.info.wall_time_ns >= age.count()) best = &record;
  }
  if (best == nullptr) return no_such(text, "none is that old");
  return best;
}

Result<const SnapshotRecord*> find_name(const Names& names, std::string_view text) {
  base::Epoch revision = base::kNoEpoch;
  for (const store::Tag& tag : names.tags) {
    if (tag.name == text) revision = tag.revision;
  }
  for (const store::BranchHead& head : names.branches) {  // R3
    if (head.branch == text) revision = head.revision;
  }
  if (revision == base::kNoEpoch) return no_such(text, "no branch and no tag has this name");
  const SnapshotRecord* found = find_number(names, revision);
  if (found == nullptr) return no_such(text, "its snapshot is not in the store");
  return found;
}

Result<const SnapshotRecord*> find_base(const Names& names, std::string_view text,
                                        std::int64_t now_ns) {
  if (text == "live") {
    return Error{ErrorCode::kUsage,
                 "the revision `live` is not available in this version; name a snapshot, as "
                 "`latest`"};
  }
  if (names.snapshots.empty()) return no_such(text, "the store has no snapshot yet");
  if (text == "latest") return &names.snapshots.back();  // R1
  if (text.starts_with('@')) return find_age(names, text, now_ns);
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return find_name(names, text);
  const auto number = number_of(text);
  const SnapshotRecord* found = number ? find_number(names, {*number}) : nullptr;
  if (found == nullptr) return no_such(text, "it was never made, or not retained");
  return found;
}

}  // namespace

Result<Names> read_names(const store::History& history) {
  Names names;
  REVENANT_ASSIGN(names.snapshots, history.snapshots());
  REVENANT_ASSIGN(names.branches, history.branches());
  REVENANT_ASSIGN(names.tags, history.tags());
  return names;
}

Result<SnapshotRecord> find_revision(const Names& names, std::string_view text,
                                     std::int64_t now_ns) {
  const std::size_t tilde = text.rfind('~');
  const std::string_view base = text.substr(0, tilde);
  std::uint64_t back = 0;
  if (tilde != std::string_view::npos) {
    const auto number = number_of(text.substr(tilde + 1));
    back = number.value_or(0);
    if (!number) {
      return Error{ErrorCode::kUsage, "\"" + std::string(text) +
                                          "\" is no revision; after `~` comes a number, as in "
                                          "latest~3"};
    }
  }
  if (base.empty()) {
    return Error{ErrorCode::kUsage, "\"" + std::string(text) +
                                        "\" is no revision; write a number, latest, latest~3, "
                                        "@10m, a branch or a tag"};
  }
  REVENANT_ASSIGN(const SnapshotRecord* found, find_base(names, base, now_ns));
  for (; back > 0; --back) {
    // A parent is always older: whatever a record says, the walk ends.
    const SnapshotRecord* parent =
        found->parent < found->revision ? find_number(names, found->parent) : nullptr;
    if (parent == nullptr) return no_such(text, "the history does not reach back that far");
    found = parent;
  }
  return *found;
}

Result<SnapshotRecord> find_revision(const store::History& history, std::string_view text) {
  REVENANT_ASSIGN(const Names names, read_names(history));
  return find_revision(names, text, wall_now_ns());
}

std::int64_t wall_now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace revenant::cli
