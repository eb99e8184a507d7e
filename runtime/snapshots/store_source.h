// vm's seam over the store: a missing page is what the head of the running branch says.
//
// The head moves with each commit and is read in the fault's own transaction. A page that is not
// resident has not changed since it was last written out, so the newest head has its contents,
// whatever has been reclaimed meanwhile.
//
// Threads: any, in the fault handler. Errors: a damaged image is an outcome.
#pragma once

#include "store/store.h"
#include "vm/page_source.h"

namespace revenant::runtime {

class StoreSource final : public vm::PageSource {
 public:
  void attach(store::Store& store) { store_ = &store; }

  Outcome fetch(base::PageNumber page, base::Epoch not_before, std::byte* frame) noexcept override {
    switch (store_->fetch(page, not_before, frame)) {
      case store::FetchOutcome::kImage:
        return Outcome::kImage;
      case store::FetchOutcome::kAbsent:
        return Outcome::kAbsent;
      case store::FetchOutcome::kDamaged:
        return Outcome::kDamaged;
      case store::FetchOutcome::kUnavailable:
        return Outcome::kUnavailable;
    }
    __builtin_unreachable();
  }

 private:
  store::Store* store_ = nullptr;
};

}  // namespace revenant::runtime
