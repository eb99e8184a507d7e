// Parks modified pages: writes their images ahead of the next snapshot, so that frames come free.
//
//   modified --begin--> in transit --image is durable--> parked, its frame free
//                            '-- wanted meanwhile: rescued; failed: modified again
//
// A frame is freed only when its image can be fetched. What cannot be written stays where it is:
// the only copy of a page is never given up, and the budget gives way (trimmer.h).
//
// Threads: the one that writes snapshots, between two of them. Errors: those of the page source.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "vm/pager.h"
#include "vm/released_runs.h"

namespace revenant::vm {

class ModifiedWriter {
 public:
  // Pages that are parked by one commit: as many as make its cost small beside theirs.
  static constexpr std::size_t kBatch = 1024;

  ModifiedWriter(Pager& pager, ReleasedRuns& released) : pager_(pager), released_(released) {}

  [[nodiscard]] base::Status open(PageSource& source);

  // Parks up to `pages` of the oldest modified pages, by one commit. Says how many frames came free
  // by it, those included that equalled their images after all.
  [[nodiscard]] base::Result<std::uint64_t> write_some(std::size_t pages = kBatch);
  // What has been given back up to now is not to be parked, nor to be taken over by the next
  // snapshot: noted in its stop, by the thread that runs it, and carried out before it is written.
  void note_released();
  void forget_released();
  // The pages that have been parked since the last call.
  void take_parked(DirtyList& out);

 private:
  struct Parking {
    Pager::Candidate candidate;
    ContentHash hash;
    TicketReference parked;
  };
  [[nodiscard]] base::Status park(const Pager::Candidate& candidate);
  void abandon();
  void forget_unwanted(base::PageRun run);

  Pager& pager_;
  ReleasedRuns& released_;
  PageSource* source_ = nullptr;
  DirtyList newly_released_;
  DirtyList forgotten_;
  DirtyList parked_;
  std::array<Parking, kBatch> parking_;
  std::size_t size_ = 0;
};

}  // namespace revenant::vm
