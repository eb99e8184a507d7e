// What the house knows of one page: 24 bytes.
//
//   word 0, 1   content hash of the image that counts as the page's last
//   word 2      ticket 28 | generation 12 | beat 11 | heat 8 | dirty 1 | state 4
//               63     36   35        24   23   13   12   5      4     3    0
//
// I1. A state changes by an edge of page_state.h only; an all-zero word 2 is no entry at all.
// I2. Dirty (known to be newer than the last committed image) is possible only where content exists
//     that no snapshot holds: active, modified, in transit, parked. Between harvests the kernel may
//     know of writes that the entry does not.
// I3. An untouched page has no content: its hash and its heat are zero.
//
// Heat is a shift register of the last eight epochs, newest in bit 0: was the page dirty in it? It
// shifts when it is asked or added to, not at each epoch: `beat` is the epoch (its low 11 bits)
// that bit 0 stands for. A page idle for just a multiple of 2,048 epochs may seem warm: that costs
// one copy in a stop, nothing more.
//
// A plain value; it has no locks. The vm_map hands out copies, and changes its own under a lock.
#pragma once

#include <array>
#include <cstdint>

#include "base/check.h"
#include "base/units.h"
#include "vm/page_state.h"

namespace revenant::vm {

// 16 bytes of hash; which algorithm made them is the store's to know.
struct ContentHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  constexpr bool operator==(const ContentHash&) const = default;
};

// Refers to what holds the page's content while its state does not say so already: the frame of a
// page in memory, the image of a parked one. The generation tells a stale reference.
struct TicketReference {
  static constexpr unsigned kNumberBits = 28;
  static constexpr unsigned kGenerationBits = 12;

  std::uint32_t number = 0;
  std::uint16_t generation = 0;
  constexpr bool operator==(const TicketReference&) const = default;
};

class PageEntry {
 public:
  using Words = std::array<std::uint64_t, 3>;

  // A new entry is of an untouched page.
  constexpr PageEntry() = default;
  // One of a page that has none yet, and whose image the branch holds.
  static constexpr PageEntry stored() {
    PageEntry entry;
    entry.set_field(kStateAt, kStateBits, static_cast<std::uint64_t>(PageState::kStored));
    return entry;
  }

  [[nodiscard]] constexpr PageState state() const {
    return static_cast<PageState>(field(kStateAt, kStateBits));
  }
  [[nodiscard]] constexpr bool dirty() const { return field(kDirtyAt, 1) != 0; }
  [[nodiscard]] constexpr bool can_be_dirty() const { return may_be_dirty(state()); }  // I2
  [[nodiscard]] constexpr ContentHash hash() const { return {words_[0], words_[1]}; }
  [[nodiscard]] constexpr TicketReference ticket() const {
    return {.number = static_cast<std::uint32_t>(field(kTicketAt, TicketReference::kNumberBits)),
            .generation =
                static_cast<std::uint16_t>(field(kGenerationAt, TicketReference::kGenerationBits))};
  }
  // Of a page in memory, if it is counted against a budget.
  [[nodiscard]] constexpr std::uint32_t frame() const { return ticket().number; }
  // The register as it stands in epoch `now`.
  [[nodiscard]] constexpr std::uint8_t heat(base::Epoch now) const {
    const std::uint64_t elapsed = (now.value - field(kBeatAt, kBeatBits)) & mask(kBeatBits);
    return elapsed >= kHeatBits ? 0
                                : static_cast<std::uint8_t>(field(kHeatAt, kHeatBits) << elapsed);
  }

  // Goes along one edge: entry.take<touch>().
  template <PageEdge edge>
  constexpr void take() {
    const PageState next = edge(state());
    set_field(kStateAt, kStateBits, static_cast<std::uint64_t>(next));  // I1
    if (next == PageState::kUntouched) forget_content();
    if (next == PageState::kStored) set_ticket({});
    REVENANT_CHECK(!dirty() || may_be_dirty(next), "a dirty page became %s", name_of(next));  // I2
  }

  // Goes to untouched from wherever the page is: nobody wants its content any more.
  constexpr void discard() {
    switch (state()) {
      case PageState::kActive:
        return take<discard_active>();
      case PageState::kStored:
        return take<discard_stored>();
      case PageState::kParked:
        return take<discard_parked>();
      case PageState::kStandby:
        return take<discard_standby>();
      case PageState::kInTransit:
        take<abandon_parking>();
        return take<discard_modified>();
      case PageState::kModified:
        return take<discard_modified>();
      case PageState::kUntouched:
        return;
    }
  }

  // The page was found written in epoch `now`.
  constexpr void mark_dirty(base::Epoch now) {
    REVENANT_CHECK(may_be_dirty(state()), "a page that is %s was written", name_of(state()));  // I2
    const std::uint64_t warmed = heat(now) | 1u;
    set_field(kHeatAt, kHeatBits, warmed);
    set_field(kBeatAt, kBeatBits, now.value & mask(kBeatBits));
    set_field(kDirtyAt, 1, 1);
  }
  // An image with this hash is committed, or the content was found to equal it.
  constexpr void mark_clean(ContentHash hash) {
    set_hash(hash);
    set_field(kDirtyAt, 1, 0);
  }
  // An image with this hash exists, and no snapshot has it yet.
  constexpr void mark_uncommitted(ContentHash hash) {
    set_hash(hash);
    REVENANT_CHECK(may_be_dirty(state()), "a page that is %s has an image that no snapshot has",
                   name_of(state()));  // I2
    set_field(kDirtyAt, 1, 1);
  }
  // An image with this hash was put into the epoch being made.
  constexpr void set_hash(ContentHash hash) {
    REVENANT_CHECK(has_content(state()), "a page that is %s has an image",
                   name_of(state()));  // I3
    words_[0] = hash.low;
    words_[1] = hash.high;
  }
  constexpr void set_ticket(TicketReference ticket) {
    set_field(kTicketAt, TicketReference::kNumberBits, ticket.number);
    set_field(kGenerationAt, TicketReference::kGenerationBits, ticket.generation);
  }

  // For the vm_map: the entry as it lies in memory. Words that are no entry give nothing.
  [[nodiscard]] constexpr const Words& words() const { return words_; }
  [[nodiscard]] static constexpr bool is_entry(const Words& words) { return words[2] != 0; }
  [[nodiscard]] static constexpr PageEntry from_words(const Words& words) {
    PageEntry entry;
    entry.words_ = words;
    return entry;
  }
  constexpr bool operator==(const PageEntry&) const = default;

 private:
  static constexpr unsigned kStateAt = 0;
  static constexpr unsigned kStateBits = 4;
  static constexpr unsigned kDirtyAt = 4;
  static constexpr unsigned kHeatAt = 5;
  static constexpr unsigned kHeatBits = 8;
  static constexpr unsigned kBeatAt = 13;
  static constexpr unsigned kBeatBits = 11;
  static constexpr unsigned kGenerationAt = 24;
  static constexpr unsigned kTicketAt = 36;
  static_assert(kTicketAt == kGenerationAt + TicketReference::kGenerationBits);
  static_assert(kTicketAt + TicketReference::kNumberBits == 64);

  static constexpr std::uint64_t mask(unsigned bits) { return (std::uint64_t{1} << bits) - 1; }
  [[nodiscard]] constexpr std::uint64_t field(unsigned at, unsigned bits) const {
    return (words_[2] >> at) & mask(bits);
  }
  constexpr void set_field(unsigned at, unsigned bits, std::uint64_t value) {
    REVENANT_CHECK(value <= mask(bits), "%#llx does not fit %u bits of a page entry",
                   static_cast<unsigned long long>(value), bits);
    words_[2] = (words_[2] & ~(mask(bits) << at)) | (value << at);
  }

  static constexpr bool has_content(PageState state) { return state != PageState::kUntouched; }
  static constexpr bool may_be_dirty(PageState state) {
    return state == PageState::kActive || state == PageState::kModified ||
           state == PageState::kInTransit || state == PageState::kParked;
  }
  constexpr void forget_content() {  // I3
    words_[0] = words_[1] = 0;
    set_field(kHeatAt, kHeatBits, 0);
    set_field(kBeatAt, kBeatBits, 0);
    set_field(kDirtyAt, 1, 0);
    set_ticket({});
  }

  Words words_{0, 0, static_cast<std::uint64_t>(PageState::kUntouched)};
};
static_assert(sizeof(PageEntry) == 24);

}  // namespace revenant::vm
