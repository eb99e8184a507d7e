// vm's seam over the store: a missing page is what the head of the running branch says.
//
// The head moves with each commit and is read in the fault's own transaction. A page that is not
// resident has not changed since it was last written out, so the newest head has its contents,
// whatever has been reclaimed meanwhile.
//
// Threads: as vm/page_source.h says. Errors: a damaged image is an outcome.
#pragma once

#include "store/store.h"
#include "vm/page_source.h"

namespace revenant::runtime {

// A page's hash, as either side of the seam spells it.
inline vm::ContentHash vm_hash(const store::ContentHash& hash) { return {hash.low, hash.high}; }
inline store::ContentHash store_hash(const vm::ContentHash& hash) { return {hash.low, hash.high}; }

class StoreSource final : public vm::PageSource {
 public:
  void attach(store::Store& store) { store_ = &store; }

  void fetch(base::PageRun run, base::Epoch not_before, std::byte* frames,
             Fetched* fetched) noexcept override;
  [[nodiscard]] vm::ContentHash hash_of(const std::byte* content) const noexcept override;
  [[nodiscard]] base::Result<vm::TicketReference> park(base::PageNumber page,
                                                       const std::byte* content,
                                                       const vm::ContentHash& hash) override;
  [[nodiscard]] base::Status finish_parking() override;
  [[nodiscard]] Outcome fetch_parked(base::PageNumber page, vm::TicketReference parked,
                                     const vm::ContentHash& hash,
                                     std::byte* frame) noexcept override;
  void forget_parked(base::PageRun run, IsWanted is_wanted) override;

 private:
  store::Store* store_ = nullptr;
};

}  // namespace revenant::runtime
