#include "cli/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/duration.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/revision.h"
#include "cli/snapshot_json.h"

namespace revenant::cli {
namespace {

using base::Result;
using store::SnapshotRecord;

Table log_table() {
  return Table({{"REVISION", Align::kRight},
                {"AGE", Align::kRight},
                {"BRANCH"},
                {"PAGES", Align::kRight},
                {"WRITTEN", Align::kRight},
                {"PAUSE", Align::kRight},
                {"COMMIT", Align::kRight},
                {"TAGS"}});
}

std::string duration_of_us(std::uint32_t us) {
  // The commit's time is known only once the next snapshot has been committed.
  return us == 0 ? "-" : base::format_duration(std::chrono::microseconds(us));
}

std::string remarks_of(const SnapshotRecord& record) {
  std::string remarks = fmt::format("{}", fmt::join(record.tags, " "));
  if (record.info.finished) {
    remarks += fmt::format("{}(finished, exit code {})", remarks.empty() ? "" : " ",
                           record.info.exit_code);
  }
  return remarks;
}

void add_row(Table& table, const SnapshotRecord& record, std::int64_t now_ns) {
  const std::chrono::nanoseconds age(std::max<std::int64_t>(0, now_ns - record.info.wall_time_ns));
  table.add({std::to_string(record.revision.value), base::format_duration(age),
             printable(record.branch), human_count(record.pages_written),
             human_bytes(record.bytes_written), duration_of_us(record.info.pause_us),
             duration_of_us(record.commit_us), printable(remarks_of(record))});
}

Result<std::int64_t> oldest_wanted(const LogRequest& request, std::int64_t now_ns) {
  if (request.since.empty()) return INT64_MIN;
  REVENANT_ASSIGN(const auto age, base::parse_duration(request.since));
  return now_ns - age.count();
}

}  // namespace

int log_snapshots(const Context& context, const LogRequest& request) {
  return with_store(context, [&](const store::StoreReader& reader) -> Result<int> {
    const std::int64_t now_ns = wall_now_ns();
    REVENANT_ASSIGN(const auto oldest_ns, oldest_wanted(request, now_ns));
    REVENANT_ASSIGN(const auto snapshots, reader.history().snapshots());
    Table table = log_table();
    std::uint64_t left = request.most.value_or(UINT64_MAX);
    for (auto record = snapshots.rbegin(); record != snapshots.rend() && left > 0; ++record) {
      if (record->info.wall_time_ns < oldest_ns) continue;
      --left;
      if (context.json) {
        print_json(snapshot_json(*record, now_ns));
      } else {
        add_row(table, *record, now_ns);
      }
    }
    if (!context.json) table.print(context.color);
    return base::kWell;
  });
}

}  // namespace revenant::cli
