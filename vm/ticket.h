// What a page that is not here stands for, and whether it may be touched.
//
//   missing page --> its segment's rule --> ticket --> stored{not_before}: the newest image on the
//                                                      branch, if born at or after not_before;
//                                                      zeros otherwise
//                                                  --> zero_fill: zeros, no image is looked for
//                                                  --> forbidden{reason}: the access is an error
//
// A ticket belongs to a range and its owner, not to a page: a rule computes it from what the owner
// keeps anyway (the heap's page map, the arithmetic of stack slots), so that an untouched terabyte,
// a million guard pages and the cleaning up after an owner all cost nothing.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace revenant::vm {

enum class ForbiddenReason : std::uint8_t {
  kGuard,     // the guard below a stack
  kFreed,     // memory that was given back
  kUnmapped,  // memory that was never given out
};

struct Ticket {
  enum class Kind : std::uint8_t { kStored, kZeroFill, kForbidden };

  Kind kind = Kind::kForbidden;
  ForbiddenReason reason = ForbiddenReason::kUnmapped;  // of kForbidden
  base::Epoch not_before = base::kNoEpoch;              // of kStored: older images are stale

  static constexpr Ticket stored(base::Epoch not_before = base::kNoEpoch) {
    return {.kind = Kind::kStored, .not_before = not_before};
  }
  static constexpr Ticket zero_fill() { return {.kind = Kind::kZeroFill}; }
  static constexpr Ticket forbidden(ForbiddenReason reason) {
    return {.kind = Kind::kForbidden, .reason = reason};
  }
  constexpr bool operator==(const Ticket&) const = default;
};

// Says what the missing pages of a segment stand for.
//
// Called by the fault handler, on any OS thread, several at once, in the middle of whatever code
// touched the page: takes no lock and allocates nothing. It may read persistent memory (a fault in
// a fault), provided that the segment of what it reads answers without reading any more.
class TicketRule {
 public:
  virtual ~TicketRule() = default;
  [[nodiscard]] virtual Ticket ticket_of(base::PageNumber page) const noexcept = 0;
};

// The rule of memory that is all there: every page is what the head of the branch says, or, of what
// begins anew, said at `not_before` or later.
class StoredRule final : public TicketRule {
 public:
  explicit StoredRule(base::Epoch not_before = base::kNoEpoch) : not_before_(not_before) {}
  [[nodiscard]] Ticket ticket_of(base::PageNumber) const noexcept override {
    return Ticket::stored(not_before_);
  }

 private:
  base::Epoch not_before_;
};

}  // namespace revenant::vm
