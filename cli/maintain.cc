#include "cli/maintain.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/revision.h"
#include "store/verify.h"

namespace revenant::cli {
namespace {

using base::Result;
using store::Finding;
using store::VerifyReport;

std::string where(const Finding& finding) {
  std::string place = finding.revision == base::kNoEpoch
                          ? "the store"
                          : "revision " + std::to_string(finding.revision.value);
  if (finding.page) place += ", page " + hex_address(finding.page->address());
  return place;
}

void print_finding(const Context& context, const Finding& finding) {
  if (!context.json) {
    fmt::print("{} {}: {}\n", painted("damaged", Paint::kRed, context.color), where(finding),
               printable(finding.what));
    return;
  }
  Json json = {{"finding", finding.what}};
  if (finding.revision != base::kNoEpoch) json["revision"] = finding.revision.value;
  if (finding.page) json["page"] = hex_address(finding.page->address());
  print_json(json);
}

void print_summary(const Context& context, const VerifyReport& report) {
  if (context.json) {
    print_json({{"snapshots", report.snapshots},
                {"nodes", report.nodes},
                {"images", report.images},
                {"findings", report.findings}});
    return;
  }
  const std::string verdict = report.findings == 0 ? "whole" : counted(report.findings, "finding");
  fmt::print("{}, {}, {}: {}\n", counted(report.snapshots, "snapshot"),
             counted(report.nodes, "node"), counted(report.images, "image"), verdict);
}

Result<VerifyReport> verify(const store::History& history, const VerifyRequest& request,
                            const store::VerifySinks& sinks) {
  if (request.all) return store::verify_all(history, sinks);
  REVENANT_ASSIGN(const Names names, read_names(history));
  // What a program leaves that was killed before its first snapshot is whole.
  if (names.snapshots.empty() && request.revision == "latest") {
    return store::verify_all(history, sinks);
  }
  REVENANT_ASSIGN(const auto record, find_revision(names, request.revision, wall_now_ns()));
  return store::verify_snapshot(history, record.revision, sinks);
}

}  // namespace

int verify_store(const Context& context, const VerifyRequest& request) {
  const auto verb = [&](const store::StoreReader& reader) -> Result<int> {
    Progress progress;
    const store::VerifySinks sinks{
        .finding =
            [&](const Finding& finding) {
              progress.clear();
              print_finding(context, finding);
            },
        .progress =
            [&](const VerifyReport& report) {
              progress.show(fmt::format("{}, {} read", counted(report.nodes, "node"),
                                        counted(report.images, "image")));
            }};
    REVENANT_ASSIGN(const auto report, verify(reader.history(), request, sinks));
    progress.clear();
    print_summary(context, report);
    return report.findings == 0 ? base::kWell : base::kFindings;
  };
  return with_store(context, verb, store::ReadPurpose::kVerify);
}

}  // namespace revenant::cli
