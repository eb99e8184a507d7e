#include "figures.h"

#include <fmt/format.h>

namespace pagewalk {

std::string table_of(const revenant::memory_statistics& figures) {
  const auto of_all = [&](std::uint64_t faults) {
    return figures.faults == 0
               ? 0.0
               : 100.0 * static_cast<double>(faults) / static_cast<double>(figures.faults);
  };
  std::string table = fmt::format("{:<32}{:>12}\n", "faults since this start", figures.faults);
  const auto fault_row = [&](const char* kind, std::uint64_t faults) {
    table += fmt::format("  {:<30}{:>12}{:>7.1f} %\n", kind, faults, of_all(faults));
  };
  fault_row("zero: new memory", figures.zero_faults);
  fault_row("rescued from standby", figures.standby_faults);
  fault_row("rescued from modified", figures.modified_faults);
  fault_row("hard: read from the store", figures.hard_faults());
  fault_row("  stored: a snapshot's image", figures.stored_faults);
  fault_row("  parked: one ahead of it", figures.parked_faults);
  const auto row = [&](const char* what, std::uint64_t count) {
    table += fmt::format("{:<32}{:>12}\n", what, count);
  };
  row("pages loaded ahead", figures.ahead_pages);
  row("pages trimmed", figures.trimmed_pages);
  row("pages written by the pager", figures.written_pages);
  table += fmt::format("{:<32}{:>12}  for {:.1f} ms\n", "waits for a frame", figures.frame_waits,
                       static_cast<double>(figures.frame_wait_ns) / 1e6);
  return table;
}

}  // namespace pagewalk
