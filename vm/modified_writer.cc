#include "vm/modified_writer.h"

#include <algorithm>

namespace revenant::vm {

base::Status ModifiedWriter::open(PageSource& source) {
  source_ = &source;
  REVENANT_TRY(forgotten_.open());
  REVENANT_TRY(newly_released_.open());
  return parked_.open();
}

void ModifiedWriter::note_released() {
  if (!pager_.has_budget()) return;
  released_.take_for_parking(newly_released_);
  forgotten_.append_all(newly_released_);
}

void ModifiedWriter::forget_released() {
  for (const base::PageRun& run : forgotten_.runs()) forget_unwanted(run);
  forgotten_.clear();
}

void ModifiedWriter::forget_unwanted(base::PageRun run) {
  source_->forget_parked(
      run, [this](base::PageNumber page, TicketReference parked, const ContentHash& hash) {
        return pager_.wants_parked(page, parked, hash);
      });
}

base::Result<std::uint64_t> ModifiedWriter::write_some(std::size_t pages) {
  const std::uint64_t in_use = pager_.lists().in_use();
  size_ = 0;
  note_released();  // before a page that was given back is parked anew
  forget_released();
  pages = std::min(pages, kBatch);
  std::array<Pager::Candidate, PageLists::kBatch> batch;
  base::Status status;
  while (size_ < pages && status.ok()) {
    const std::size_t wanted = std::min(batch.size(), pages - size_);
    const std::size_t taken =
        pager_.lists().take_oldest(ListName::kModified, {batch.data(), wanted});
    if (taken == 0) break;
    for (std::size_t i = 0; i < taken; ++i) {
      if (status.ok()) status = park(batch[i]);
      if (!status.ok()) pager_.give_up_parking(batch[i]);
    }
  }
  if (status.ok() && size_ != 0) status = source_->finish_parking();
  if (!status.ok()) {
    abandon();
    return status.error();
  }
  // The newest first: of a page that was wanted meanwhile, and parked again, that one counts.
  for (std::size_t i = size_; i-- > 0;) {
    const Parking& parking = parking_[i];
    if (pager_.end_parking(parking.candidate, parking.hash, parking.parked)) {
      parked_.append({parking.candidate.page, {1}});
    } else {  // wanted meanwhile: it may become what the image before this one holds
      forget_unwanted({parking.candidate.page, {1}});
    }
  }
  pager_.settle_discarded();
  const std::uint64_t now_in_use = pager_.lists().in_use();
  return in_use - std::min(in_use, now_in_use);
}

base::Status ModifiedWriter::park(const Pager::Candidate& candidate) {
  alignas(64) std::array<std::byte, base::kPageSize> content;
  const auto hash = pager_.begin_parking(candidate, content.data());
  if (!hash.has_value()) return {};
  REVENANT_ASSIGN(const TicketReference parked,
                  source_->park(candidate.page, content.data(), *hash));
  parking_[size_++] = {candidate, *hash, parked};
  return {};
}

void ModifiedWriter::abandon() {
  for (std::size_t i = 0; i < size_; ++i) pager_.give_up_parking(parking_[i].candidate);
  size_ = 0;
}

void ModifiedWriter::take_parked(DirtyList& out) {
  out.clear();
  parked_.swap(out);
}

}  // namespace revenant::vm
