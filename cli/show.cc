#include <fmt/format.h>

#include <array>
#include <chrono>

#include "base/duration.h"
#include "cli/exit_code.h"
#include "cli/log.h"
#include "cli/print.h"
#include "cli/revision.h"
#include "cli/snapshot_json.h"
#include "cli/world_image.h"
#include "vm/space.h"

namespace revenant::cli {
namespace {

using base::Result;
using store::SnapshotView;

// The kinds of memory, by where they lie. What lies outside the space is the low window.
struct MemoryKind {
  const char* name;
  base::PageRun pages;
};
constexpr std::array kKinds = {
    MemoryKind{"world", vm::kWorldRun}, MemoryKind{"heap metadata", vm::kHeapMetadataRun},
    MemoryKind{"heap", vm::kHeapRun}, MemoryKind{"stacks", vm::kStackRun}};
constexpr const char* kLowWindow = "globals";

struct MemoryUse {
  std::uint64_t pages = 0;
  std::uint64_t written = 0;  // in this snapshot
};
using MemoryUses = std::array<MemoryUse, kKinds.size() + 1>;

const char* kind_name(std::size_t kind) {
  return kind < kKinds.size() ? kKinds[kind].name : kLowWindow;
}

std::size_t kind_of(base::PageNumber page) {
  std::size_t kind = 0;
  while (kind < kKinds.size() && !kKinds[kind].pages.contains(page)) ++kind;
  return kind;
}

Result<MemoryUses> measure(const SnapshotView& view) {
  MemoryUses uses{};
  const auto count = [&](base::PageNumber page, const store::PageReference& reference) {
    MemoryUse& use = uses[kind_of(page)];
    ++use.pages;
    if (reference.birth == view.record().revision) ++use.written;
    return true;
  };
  REVENANT_TRY(view.for_each_page(store::kAllPages, count));
  return uses;
}

struct Findings {
  std::string build_id;
  std::string hash;
  std::size_t roots;
  MemoryUses uses;
};

Result<Findings> look_into(const SnapshotView& view) {
  const SnapshotImage image(view);
  REVENANT_ASSIGN(const auto roots, WorldImage(image).roots());
  REVENANT_ASSIGN(const auto uses, measure(view));
  const store::SnapshotRecord& record = view.record();
  const auto* hash = reinterpret_cast<const std::uint8_t*>(&record.root_hash);
  return Findings{hex(record.info.build_id.data(), record.info.build_id.size()),
                  hex(hash, sizeof record.root_hash), roots.size(), uses};
}

void print_as_json(const store::SnapshotRecord& record, const Findings& findings) {
  Json json = snapshot_json(record, wall_now_ns());
  json["build_id"] = findings.build_id;
  json["hash"] = findings.hash;
  json["roots"] = findings.roots;
  Json memory = Json::array();
  for (std::size_t kind = 0; kind < findings.uses.size(); ++kind) {
    const MemoryUse& use = findings.uses[kind];
    memory.push_back({{"kind", kind_name(kind)},
                      {"pages", use.pages},
                      {"bytes", use.pages * base::kPageSize},
                      {"pages_written", use.written}});
  }
  json["memory"] = std::move(memory);
  print_json(json);
}

std::string parent_of(const store::SnapshotRecord& record) {
  return record.parent == base::kNoEpoch ? "none" : std::to_string(record.parent.value);
}

void print_memory(const MemoryUses& uses, bool with_written, bool color) {
  std::vector<Column> columns = {{"MEMORY"}, {"PAGES", Align::kRight}, {"SIZE", Align::kRight}};
  if (with_written) columns.push_back({"WRITTEN", Align::kRight});
  Table table(std::move(columns));
  for (std::size_t kind = 0; kind < uses.size(); ++kind) {
    const MemoryUse& use = uses[kind];
    if (use.pages == 0) continue;
    std::vector<std::string> row = {kind_name(kind), human_count(use.pages),
                                    human_bytes(use.pages * base::kPageSize)};
    if (with_written) row.push_back(human_count(use.written));
    table.add(std::move(row));
  }
  fmt::print("\n");
  table.print(color);
}

void print_for_people(const store::SnapshotRecord& record, const Findings& findings,
                      const ShowRequest& request, bool color) {
  const store::SnapshotInfo& info = record.info;
  const auto line = [&](std::string_view title, const std::string& value) {
    fmt::print("{}  {}\n", painted(fmt::format("{:<10}", title), Paint::kBold, color),
               printable(value));
  };
  line("revision", fmt::format("{} on {}", record.revision.value, record.branch));
  line("parent", parent_of(record));
  if (!record.tags.empty()) line("tags", fmt::format("{}", fmt::join(record.tags, " ")));
  line("time", utc_time(info.wall_time_ns));
  line("build-id", findings.build_id);
  line("hash", findings.hash);
  line("start", fmt::format("{}", info.generation));
  line("threads", human_count(info.threads));
  line("roots", human_count(findings.roots));
  line("pause", base::format_duration(std::chrono::microseconds(info.pause_us)));
  line("written", fmt::format("{}, {}", counted(record.pages_written, "page"),
                              human_bytes(record.bytes_written)));
  if (info.finished) line("finished", fmt::format("exit code {}", info.exit_code));
  print_memory(findings.uses, request.stat, color);
}

}  // namespace

int show_snapshot(const Context& context, const ShowRequest& request) {
  return with_snapshot(context, request.revision,
                       [&](const store::StoreReader&, const SnapshotView& view) -> Result<int> {
                         REVENANT_ASSIGN(const auto findings, look_into(view));
                         if (context.json) {
                           print_as_json(view.record(), findings);
                         } else {
                           print_for_people(view.record(), findings, request, context.color);
                         }
                         return base::kWell;
                       });
}

}  // namespace revenant::cli
