#include "runtime/snapshots/store_source.h"

#include <array>

namespace revenant::runtime {
namespace {

vm::PageSource::Outcome outcome_of(store::FetchOutcome outcome) {
  switch (outcome) {
    case store::FetchOutcome::kImage:
      return vm::PageSource::Outcome::kImage;
    case store::FetchOutcome::kAbsent:
      return vm::PageSource::Outcome::kAbsent;
    case store::FetchOutcome::kDamaged:
      return vm::PageSource::Outcome::kDamaged;
    case store::FetchOutcome::kUnavailable:
      return vm::PageSource::Outcome::kUnavailable;
  }
  __builtin_unreachable();
}

}  // namespace

void StoreSource::fetch(base::PageRun run, base::Epoch not_before, std::byte* frames,
                        Fetched* fetched) noexcept {
  std::array<store::Fetched, kMostFetched> found;
  store_->fetch_run(run, not_before, frames, found.data());
  for (std::uint64_t i = 0; i < run.count.value; ++i) {
    fetched[i] = {outcome_of(found[i].outcome), vm_hash(found[i].hash)};
  }
}

vm::ContentHash StoreSource::hash_of(const std::byte* content) const noexcept {
  return vm_hash(store::hash_page(content));
}

base::Result<vm::TicketReference> StoreSource::park(base::PageNumber page, const std::byte* content,
                                                    const vm::ContentHash& hash) {
  REVENANT_ASSIGN(const store::ParkedNumber number, store_->park(page, content, store_hash(hash)));
  return vm::TicketReference{.number = number};
}

base::Status StoreSource::finish_parking() { return store_->finish_parking(); }

vm::PageSource::Outcome StoreSource::fetch_parked(base::PageNumber page, vm::TicketReference parked,
                                                  const vm::ContentHash& hash,
                                                  std::byte* frame) noexcept {
  return outcome_of(store_->fetch_parked(page, parked.number, store_hash(hash), frame));
}

void StoreSource::forget_parked(base::PageRun run, IsWanted is_wanted) {
  store_->forget_parked(run, [is_wanted](base::PageNumber page, store::ParkedNumber number,
                                         const store::ContentHash& hash) {
    return is_wanted(page, {.number = number}, vm_hash(hash));
  });
}

}  // namespace revenant::runtime
