// The states of a page, and the only ways from one to another.
//
//   untouched <--- discard_* --- active, stored, parked, standby, modified
//     |
//     | touch
//     v             trim_clean
//   active ------------------------------> standby
//   ^ ^ ^ |  <------ rescue_standby -----     ^
//   | | | |                                   | commit_modified
//   | | | | trim_modified                     |
//   | | | +-----------------------------> modified
//   | | +------------- rescue_modified ----   |  ^
//   | |                                       |  |
//   | |                         begin_parking |  | abandon_parking
//   | |                                       v  |
//   | |                                   in_transit
//   | |                                       | end_parking
//   | |                                       v
//   | +------------------------- unpark --- parked
//   |                                         | commit_parked
//   |                                         v
//   +--------------------------- load ----- stored <-- drop_standby -- standby
//
//   untouched   no frame, no image: reads as zeros        (a page without an entry is untouched)
//   stored      no frame; the branch holds its image
//   parked      no frame; its image is in the store, in no snapshot yet
//   in_transit  a frame outside the space, its image on the way to the store
//   active      a frame in the space
//   standby     a frame outside the space, its content equal to the committed image
//   modified    a frame outside the space, its content newer than any committed image
//   forbidden   may not be touched: a guard, freed or unmapped memory. Its ticket says so
//               (ticket.h), and it has no entry
//
//   untouched  -> active      [touch]             first access: a frame of zeros
//   stored     -> active      [load]              access: the committed image is read
//   parked     -> active      [unpark]            access: the parked image is read
//   active     -> standby     [trim_clean]        the frame leaves the space, nothing to save
//   active     -> modified    [trim_modified]     the frame leaves the space, and must be saved
//   standby    -> active      [rescue_standby]    access: the frame goes back
//   standby    -> stored      [drop_standby]      the frame is reused
//   modified   -> active      [rescue_modified]   access: the frame goes back
//   modified   -> standby     [commit_modified]   a snapshot took the content from the frame
//   modified   -> in_transit  [begin_parking]     the writer takes it
//   in_transit -> modified    [abandon_parking]   the write failed, or an access came between
//   in_transit -> parked      [end_parking]       the write is durable, the frame is freed
//   parked     -> stored      [commit_parked]     a snapshot took the parked image over
//   active     -> untouched   [discard_active]    nobody wants the content any more; so below
//   stored     -> untouched   [discard_stored]
//   parked     -> untouched   [discard_parked]
//   standby    -> untouched   [discard_standby]
//   modified   -> untouched   [discard_modified]  (in_transit: abandon first)
//
// Nobody assigns a state: each edge is one function, which takes the state found and returns the
// next one. Taking an edge from any other state is a bug and aborts.
#pragma once

#include <cstdint>

#include "base/check.h"

namespace revenant::vm {

// 0 is none of them: it stands for an entry that is not there (page_entry.h).
enum class PageState : std::uint8_t {
  kUntouched = 1,
  kStored,
  kParked,
  kInTransit,
  kActive,
  kStandby,
  kModified,
};

constexpr const char* name_of(PageState state) {
  switch (state) {
    case PageState::kUntouched:
      return "untouched";
    case PageState::kStored:
      return "stored";
    case PageState::kParked:
      return "parked";
    case PageState::kInTransit:
      return "in transit";
    case PageState::kActive:
      return "active";
    case PageState::kStandby:
      return "standby";
    case PageState::kModified:
      return "modified";
  }
  return "no state";
}

// Whether such a page is in memory, though not in the space.
constexpr bool is_outside(PageState state) {
  return state == PageState::kStandby || state == PageState::kModified ||
         state == PageState::kInTransit;
}

// An edge: the state found goes in, the next one comes out.
using PageEdge = PageState (*)(PageState found);

namespace internal {

constexpr PageState cross(PageState found, const char* edge, PageState from, PageState to) {
  REVENANT_CHECK(found == from, "a page that is %s cannot take the edge %s", name_of(found), edge);
  return to;
}

}  // namespace internal

constexpr PageState touch(PageState found) {
  return internal::cross(found, "touch", PageState::kUntouched, PageState::kActive);
}
constexpr PageState load(PageState found) {
  return internal::cross(found, "load", PageState::kStored, PageState::kActive);
}
constexpr PageState unpark(PageState found) {
  return internal::cross(found, "unpark", PageState::kParked, PageState::kActive);
}
constexpr PageState trim_clean(PageState found) {
  return internal::cross(found, "trim_clean", PageState::kActive, PageState::kStandby);
}
constexpr PageState trim_modified(PageState found) {
  return internal::cross(found, "trim_modified", PageState::kActive, PageState::kModified);
}
constexpr PageState rescue_standby(PageState found) {
  return internal::cross(found, "rescue_standby", PageState::kStandby, PageState::kActive);
}
constexpr PageState drop_standby(PageState found) {
  return internal::cross(found, "drop_standby", PageState::kStandby, PageState::kStored);
}
constexpr PageState rescue_modified(PageState found) {
  return internal::cross(found, "rescue_modified", PageState::kModified, PageState::kActive);
}
constexpr PageState commit_modified(PageState found) {
  return internal::cross(found, "commit_modified", PageState::kModified, PageState::kStandby);
}
constexpr PageState begin_parking(PageState found) {
  return internal::cross(found, "begin_parking", PageState::kModified, PageState::kInTransit);
}
constexpr PageState abandon_parking(PageState found) {
  return internal::cross(found, "abandon_parking", PageState::kInTransit, PageState::kModified);
}
constexpr PageState end_parking(PageState found) {
  return internal::cross(found, "end_parking", PageState::kInTransit, PageState::kParked);
}
constexpr PageState commit_parked(PageState found) {
  return internal::cross(found, "commit_parked", PageState::kParked, PageState::kStored);
}
constexpr PageState discard_active(PageState found) {
  return internal::cross(found, "discard_active", PageState::kActive, PageState::kUntouched);
}
constexpr PageState discard_stored(PageState found) {
  return internal::cross(found, "discard_stored", PageState::kStored, PageState::kUntouched);
}
constexpr PageState discard_parked(PageState found) {
  return internal::cross(found, "discard_parked", PageState::kParked, PageState::kUntouched);
}
constexpr PageState discard_standby(PageState found) {
  return internal::cross(found, "discard_standby", PageState::kStandby, PageState::kUntouched);
}
constexpr PageState discard_modified(PageState found) {
  return internal::cross(found, "discard_modified", PageState::kModified, PageState::kUntouched);
}

}  // namespace revenant::vm
