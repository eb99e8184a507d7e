// The vm room's door: the space, what its pages stand for, and who wrote to them.
//
//   objects/, runtime/ --> MemoryManager --> Space, SegmentTable, FaultHandler, DirtyTracker
//                                      |\--> Pager, Trimmer, ModifiedWriter
//                                      \---> PageSource (runtime's, over the store)
//
// Of the three trackers the first that works on this host is taken, in the order of what they cost,
// or the one that was asked for. Trying is part of opening; no kernel version is looked at.
//
// Lives in static storage, at one address in every life of the program: frames that are parked and
// come back may hold its address. Open it, add the segments, adopt every OS thread that touches the
// space, and from then on pages appear when touched.
//
// I1  open() once, and close() when no thread touches the space any more.
// I2  A page of a released run is not present, and its run is in take_released() exactly until it
//     was taken.
// I3  After open() nothing here calls malloc.
// I4  Under a memory budget no more pages of the space are in memory, there or in the pool, than it
//     says, but for what Trimmer hands out beyond it.
//
// Threads: add_segment(), release(), take_released() and adopt_thread() from any; what
// tracker() and map() hand out says so itself. Locks: none of its own; those of segment.h,
// released_runs.h and chunk_temperature.h, in that order of rank. Errors: open() explains what the
// host lacks.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "vm/async_tracker_linux.h"
#include "vm/dirty_list.h"
#include "vm/dirty_tracker.h"
#include "vm/fault_handler.h"
#include "vm/fault_port_linux.h"
#include "vm/kept_tickets.h"
#include "vm/memory_statistics.h"
#include "vm/modified_writer.h"
#include "vm/mprotect_tracker_linux.h"
#include "vm/page_source.h"
#include "vm/pager.h"
#include "vm/released_runs.h"
#include "vm/segment.h"
#include "vm/space.h"
#include "vm/sync_tracker_linux.h"
#include "vm/ticket_table.h"
#include "vm/trimmer.h"
#include "vm/vm_map.h"

namespace revenant::vm {

// What the low window holds once the space is open.
enum class LowContents {
  kKeep,       // what the executable put there: the first life of a store
  kFromStore,  // nothing: its pages are missing, and fetched when touched
};

struct MemoryOptions {
  base::PageRun low_window{};  // page aligned, may be empty
  LowContents low_contents = LowContents::kKeep;
  base::Epoch low_not_before = base::kNoEpoch;  // older images of the low window are stale
  TrackerChoice tracker = TrackerChoice::kAuto;
  std::uint64_t mapping_budget = 0;  // of the tracker mprotect; 0: half of the process's limit
  base::PageCount memory_budget{0};  // pages of the space in memory at most; 0: no limit
  bool move_frames = true;           // where the kernel can; else they are copied
};

class MemoryManager {
 public:
  MemoryManager() = default;
  ~MemoryManager() { close(); }
  MemoryManager(const MemoryManager&) = delete;
  MemoryManager& operator=(const MemoryManager&) = delete;

  // Maps the windows, takes SIGBUS and SIGSEGV, and adds the low window's segment if there is one.
  [[nodiscard]] base::Status open(const MemoryOptions& options, PageSource& source);
  void close();
  // Which tracker was chosen and why: a line for the log.
  [[nodiscard]] const std::string& tracker_sentence() const { return tracker_sentence_; }

  // A segment whose tickets `rule` computes; it outlives the manager, and `name` is a literal.
  [[nodiscard]] base::Status add_segment(const char* name, base::PageRun pages,
                                         const TicketRule& rule);
  // A segment whose tickets are kept, in tickets(): returns their owner.
  [[nodiscard]] base::Result<TicketOwner> add_kept_segment(const char* name, base::PageRun pages,
                                                           SegmentAccess access);
  // Who owns the tickets of the page's segment.
  [[nodiscard]] TicketOwner owner_of(base::PageNumber page) const noexcept;
  [[nodiscard]] TicketTable& tickets() { return tickets_; }
  // Ends the segment that begins at `first`, with all its tickets: no thread touches it any more,
  // its pages are released and no entry refers to a lone ticket of its.
  void end_segment(base::PageNumber first, TicketTable::GiveBack give_back);
  // What `page` stands for when it is not present.
  [[nodiscard]] Ticket ticket_of(base::PageNumber page) const noexcept {
    return segments_.ticket_of(page);
  }
  [[nodiscard]] const Space& space() const { return space_; }

  // Gives the calling OS thread the alternate stack that faults need. It must outlive the thread's
  // touches of the space and be destroyed by the same thread.
  [[nodiscard]] base::Result<AdoptedThread> adopt_thread() { return AdoptedThread::adopt(); }
  // Where pages with tickets of host files come from.
  void set_host_files(HostFileSource& files) { handler_.set_host_files(files); }
  // Called on the faulting thread for an access that cannot be resumed. If it returns, or none is
  // set, the signal does what it did before open().
  void set_fatal_fault(FatalFault handler) { port_.set_fatal_fault(handler); }

  // The owner gave `run` back: its pages are dropped from memory, and from the store with the next
  // snapshot. The owner's rule already says so (forbidden, or a later not_before).
  void release(base::PageRun run) { released_.release(run); }
  // What the store holds of `run`, which no process maps any more, goes with the next snapshot.
  void forget(base::PageRun run) { released_.forget(run); }
  // Hands over the runs released since the last call; `out` (open, cleared first) lends its
  // storage.
  void take_released(DirtyList& out) { released_.take(out); }
  // The epoch being made; images from it on do not exist yet. Set at start and after each commit.
  void set_open_epoch(base::Epoch open) { handler_.set_open_epoch(open); }

  [[nodiscard]] DirtyTracker& tracker() { return *tracker_; }
  // What is known about single pages: the hash of their last image, among others.
  [[nodiscard]] VmMap& map() { return pager_.map(); }
  [[nodiscard]] MemoryStatistics statistics() const { return counters_.read(); }
  // Where all of that is counted.
  [[nodiscard]] MemoryCounters& counters() { return counters_; }

  // Under a memory budget. `run` stays in memory; before the first fault.
  void pin(base::PageRun run) { pager_.pin(run); }
  [[nodiscard]] Pager& pager() { return pager_; }
  [[nodiscard]] Trimmer& trimmer() { return trimmer_; }
  [[nodiscard]] ModifiedWriter& modified_writer() { return writer_; }

 private:
  [[nodiscard]] base::Status start(const MemoryOptions& options, PageSource& source);
  [[nodiscard]] base::Status choose_tracker(TrackerChoice choice);
  [[nodiscard]] base::Result<TicketOwner> add(Segment segment);
  [[nodiscard]] base::Status open_low(base::PageRun low, const std::byte* first_values);

  // Constant between open() and close().
  Space space_;
  AsyncTracker async_{space_};
  SyncTracker sync_{space_};
  MprotectTracker mprotect_{space_};
  DirtyTracker* tracker_ = &async_;
  std::string tracker_sentence_;
  StoredRule low_rule_;

  // Synchronise themselves.
  MemoryCounters counters_;
  Pager pager_{counters_};
  Trimmer trimmer_{pager_};
  TicketTable tickets_;
  KeptTickets kept_tickets_{tickets_};
  SegmentTable segments_;
  ReleasedRuns released_;
  ModifiedWriter writer_{pager_, released_};
  FaultHandler handler_{space_, segments_, pager_, trimmer_};
  FaultPort port_{handler_};
};

}  // namespace revenant::vm
