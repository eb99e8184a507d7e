// A bank whose every cent is accounted for, whatever instant it is killed at.
//
//   ledger [--threads N] [--accounts N] [--check] [flags of run()]
//
// prints   synced REVISION COUNT        all of the first COUNT transfers are durable
//          checked GENERATION COUNT ok  all invariants were proved over COUNT transfers
//          violation: SENTENCE          one does not hold; exit 1
//
// It checks itself at every start but the first, before any other thread goes on, and now and then
// while it runs. With --check it checks what is there and ends. --threads and --accounts count when
// the store is made.
#include <cstdlib>
#include <stdexcept>

#include "../flags.h"
#include "bank.h"

namespace ledger {
namespace {

using namespace std::chrono_literals;

constexpr int kReportsPerAudit = 20;

struct Settings {
  std::size_t threads = 8;
  std::size_t accounts = 32;
  bool check_only = false;
};

Settings settings_of(const std::vector<std::string_view>& args) {
  Settings settings;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view value = i + 1 < args.size() ? args[i + 1] : "";
    if (args[i] == "--check") {
      settings.check_only = true;
    } else if (args[i] == "--threads") {
      settings.threads = flags::number(args[i++], value, 1);
    } else if (args[i] == "--accounts") {
      settings.accounts = flags::number(args[i++], value, 2);
    } else {
      throw std::invalid_argument("ledger knows no argument " + std::string(args[i]));
    }
  }
  return settings;
}

void report(const Bank& bank, const std::optional<std::string>& violation) {
  if (violation) {
    revenant::print("violation: {}\n", *violation);
    throw std::logic_error(*violation);
  }
  revenant::print("checked {} {} ok\n", revenant::generation(), bank.transfers());
}

void check_restart(const Bank& bank) {
  report(bank, bank.audit_instant());
  if (settings_of(revenant::args()).check_only) std::exit(0);
}

revenant::thread hire(const std::string& name, auto duty) {
  return revenant::thread(revenant::thread::attributes{.name = name}, duty);
}

void open_bank(const Settings& settings) {
  auto& bank = revenant::root<Bank>("bank", settings.accounts, settings.threads);
  revenant::on_restart([&bank] { check_restart(bank); });
  std::vector<revenant::thread> staff;
  staff.push_back(hire("notary", [&bank] { bank.serve_as_notary(); }));
  for (std::size_t i = 0; i < settings.threads; ++i) {
    const std::string number = std::to_string(i);
    staff.push_back(hire("clerk " + number, [&bank, i] { bank.serve_as_clerk(i); }));
    staff.push_back(hire("customer " + number, [&bank, i] { bank.serve_as_customer(i); }));
  }
  for (int reports = 1;; ++reports) {
    revenant::this_thread::sleep_for(2ms);
    const std::uint64_t count = bank.transfers();
    revenant::print("synced {} {}\n", revenant::sync(), count);
    if (reports % kReportsPerAudit == 0) report(bank, bank.audit());
  }
}

Settings settings_to_begin_with() {
  const Settings settings = settings_of(revenant::args());
  if (!settings.check_only) return settings;
  throw std::invalid_argument("there is nothing to check; start it without --check first");
}

void run() { open_bank(flags::or_refuse("ledger", settings_to_begin_with)); }

}  // namespace
}  // namespace ledger

int main(int argc, char** argv) { return revenant::run(argc, argv, ledger::run); }
