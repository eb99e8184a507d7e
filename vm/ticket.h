// What a page that is not here stands for, and what may be done to it.
//
//   missing page --> its segment's rule --> ticket --> stored{not_before}: the newest image on the
//                                                      branch, if born at or after not_before;
//                                                      zeros otherwise
//                                                  --> zero_fill: zeros, no image is looked for
//                                                  --> parked{image, tier}: an image that no
//                                                      snapshot holds yet, and the tier it lies on
//                                                  --> host_file{part}: a page of a file outside
//                                                  --> forbidden{reason}: the access is an error
//
// A read-only ticket refuses writes: such an access is an error that loads nothing.
//
// A ticket belongs to a range and its owner, not to a page, and comes about in two ways.
// Computed: a rule works it out from what the owner keeps anyway (the heap's page map, the
// arithmetic of stack slots), so that an untouched terabyte, a million guard pages, the cleaning up
// after an owner and a restart all cost nothing. Kept: where the owner has no such thing, a record
// in the ticket table (ticket_table.h), one for any number of consecutive pages.
//
// I1  Pages of one range have equal tickets. What differs from page to page (which image, which
//     part of the file) advances by one a page and is kept as its value at page 0, the origin: so a
//     range is split and joined without a ticket changing, and equal neighbours are one range.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace revenant::vm {

enum class ForbiddenReason : std::uint8_t {
  kGuard,     // the guard below a stack
  kFreed,     // memory that was given back
  kUnmapped,  // memory that was never given out
};

// Where a parked image lies. Which one it is there, the page source knows by its reference.
enum class Tier : std::uint8_t { kStore };

struct Ticket {
  enum class Kind : std::uint8_t { kStored, kZeroFill, kForbidden, kParked, kHostFile };

  Kind kind = Kind::kForbidden;
  ForbiddenReason reason = ForbiddenReason::kUnmapped;  // of kForbidden
  Tier tier = Tier::kStore;                             // of kParked
  bool read_only = false;
  base::Epoch not_before = base::kNoEpoch;  // of kStored: older images are stale
  std::uint64_t origin = 0;                 // of kParked and kHostFile: the reference at page 0

  static constexpr Ticket stored(base::Epoch not_before = base::kNoEpoch) {
    return {.kind = Kind::kStored, .not_before = not_before};
  }
  static constexpr Ticket zero_fill() { return {.kind = Kind::kZeroFill}; }
  static constexpr Ticket forbidden(ForbiddenReason reason) {
    return {.kind = Kind::kForbidden, .reason = reason};
  }
  // The image `reference` is that of `page`, the next one that of the next page.
  static constexpr Ticket parked(base::PageNumber page, std::uint64_t reference,
                                 Tier tier = Tier::kStore) {
    return {.kind = Kind::kParked, .tier = tier, .origin = reference - page.value};
  }
  // The file's part `reference` lies at `page`, the next one at the next page.
  static constexpr Ticket host_file(base::PageNumber page, std::uint64_t reference) {
    return {.kind = Kind::kHostFile, .read_only = true, .origin = reference - page.value};
  }
  constexpr Ticket as_read_only() const {
    Ticket same = *this;
    same.read_only = true;
    return same;
  }

  // What kParked and kHostFile refer to at `page`.
  [[nodiscard]] constexpr std::uint64_t reference_of(base::PageNumber page) const {
    return origin + page.value;
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
