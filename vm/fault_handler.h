// One fault, from trap to resume.
//
//  1. A thread touches a page of the space that is not there. The kernel raises a signal on that
//     thread (SIGBUS where userfaultfd stands before the page, SIGSEGV where the page allows no
//     access); the port (fault_port_linux.h) enters resolve() on the thread's alternate stack, and
//     the tracker says what the signal means.
//  2. The page's segment is looked up, and its rule asked for the ticket. The rule may read
//     persistent metadata: if that is missing too, this story starts again, one level down.
//  3. Forbidden, or a write where only reads are allowed: the port reports the access and the
//     program ends. Nothing was loaded.
//  4. The page's entry says whether its content is in memory after all: outside the space, in the
//     frame pool. Then it is put back, with neighbours that lie there too (pager.h), and that is
//     all.
//  5. Otherwise the thread's read-ahead proposes a window of pages in the same chunk, and as many
//     of them are taken as belong to the same segment, stand for the same kind of content and have
//     no content in memory. The rest goes block by block of the vm_map.
//  6. Frames are obtained, if there is a memory budget: others may have to leave for them
//     (trimmer.h). Images are fetched from the page source into buffers on the alternate stack, and
//     filled protected. Where the source has none the page reads as zeros; a damaged one ends the
//     program, a damaged neighbour stays missing until it is touched.
//  7. Zeros for a write are filled writable and count as dirty at once, neighbours too: a new page
//     that is written is followed by others. Zeros for a read are filled protected and stay clean.
//  8. Pages and their entries change under their stripe's lock, if they still are what they were
//     when their content was asked for; neighbours only if nothing was released since step 2
//     (released_runs.h). The handler returns, and the instruction is tried again: where another
//     thread was faster, it finds the page, or asks anew.
//
//  A write that a page which is there refuses is noted by the tracker, and tried again; in a
//  segment that is only read it is reported. A page of a host file is filled from a mapping of the
//  file, without the detour over a buffer.
//
// When a snapshot meets a fault half-way: a thread in the handler has not parked, so the harvest of
// a stop never runs beside steps 1 to 8. The harvests before the stop do, and lose nothing: until
// step 8 the page holds what its ticket says, and its first write comes after step 8, on a page
// that is protected or counts as written.
//
// I1  Nothing is allocated and no lock is taken that interrupted code can hold.
// I2  A page is filled with what its ticket says or not at all.
// I3  All sources of filling are volatile memory.
// I4  A stored page's entry has the hash of the image that the branch holds.
//
// Threads: resolve() from any, several at once, on one page or many. What it counts is approximate
// only in order, not in sum.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/units.h"
#include "vm/access.h"
#include "vm/dirty_tracker.h"
#include "vm/host_file_source.h"
#include "vm/page_source.h"
#include "vm/pager.h"
#include "vm/read_ahead.h"
#include "vm/segment.h"
#include "vm/space.h"
#include "vm/trimmer.h"

namespace revenant::vm {

enum class FaultReason : std::uint8_t {
  kGuard,        // the guard below a stack: it overflowed
  kFreed,        // memory that was given back
  kUnmapped,     // an address of the space that was never given out
  kDamaged,      // the page's image is not what was written
  kUnavailable,  // the page's image cannot be had, and waiting for it has ended
  kReadOnly,     // memory that may only be read
  kHostFile,     // the file that the page shows is not what it was
  kProtection,   // the mapping does not allow this access, such as executing data
  kOutside,      // not an address of the space
  kNoMemory,     // the kernel would not fill the page: no memory, or no mapping, is left
};

[[nodiscard]] const char* to_string(FaultReason reason) noexcept;
// The rule that a violation broke; empty for what is no violation of a rule.
[[nodiscard]] const char* rule_of(FaultReason reason) noexcept;
[[nodiscard]] FaultReason reason_of(ForbiddenReason reason) noexcept;

// An access that cannot be resumed. Valid during the call that hands it over.
struct FaultReport {
  std::uintptr_t address = 0;
  bool is_write = false;
  FaultReason reason = FaultReason::kOutside;
  const char* segment = "";  // its name; empty outside all segments
  int signal = 0;
  void* context = nullptr;  // the ucontext_t of the access
};

class FaultHandler {
 public:
  struct Outcome {
    bool resume = false;
    FaultReason reason = FaultReason::kOutside;  // when not
    const char* segment = "";
  };

  FaultHandler(const Space& space, const SegmentTable& segments, Pager& pager, Trimmer& trimmer)
      : space_(space), segments_(segments), pager_(pager), trimmer_(trimmer) {}

  // Makes the handler ready; what it is given outlives the faults.
  void start(DirtyTracker& tracker, PageSource& source) {
    tracker_ = &tracker;
    source_ = &source;
  }

  // Where the pages of host files come from; before any has a ticket.
  void set_host_files(HostFileSource& files) { host_files_ = &files; }

  // What the access asks for; kForbidden outside the space.
  [[nodiscard]] Trap classify(const Access& access) const noexcept;
  // `trap` is what classify() said; `ahead` the calling thread's, or null: then pages are filled
  // one at a time.
  [[nodiscard]] Outcome resolve(const Access& access, Trap trap, ReadAhead* ahead) noexcept;

  // Images are born before `open`: a page that wants a later one reads as zeros, unasked.
  void set_open_epoch(base::Epoch open) {
    open_epoch_.store(open.value, std::memory_order_release);
  }

 private:
  // What is to be brought in, and why.
  struct Plan {
    base::PageNumber page;  // the one that was touched
    const Segment* segment = nullptr;
    Pager::Mark mark;    // before any rule was asked
    Ticket ticket;       // of `page`; in `run` all are alike
    bool zeros = false;  // what it stands for
    bool from_file = false;
    bool is_write = false;
    base::PageRun run;
  };
  struct Part;

  // Whether the page lies where the hardware refuses writes to pages that are there, too.
  [[nodiscard]] bool is_sealed(base::PageNumber page) const noexcept;
  [[nodiscard]] Outcome refuse_write(base::PageNumber page) noexcept;
  [[nodiscard]] Outcome resolve_write(base::PageNumber page) noexcept;
  [[nodiscard]] Outcome resolve_missing(const Access& access, ReadAhead* ahead) noexcept;
  [[nodiscard]] Outcome refuse(FaultReason reason, base::PageNumber page) noexcept;
  [[nodiscard]] Outcome rescue(base::PageRun run, base::PageNumber page) noexcept;
  // The pages to look at around `page` when they stand for zeros, or for images.
  [[nodiscard]] base::PageRun window_around(base::PageNumber page, bool zeros,
                                            ReadAhead* ahead) const noexcept;
  // True when no image can be what the ticket wants.
  [[nodiscard]] bool reads_zeros(const Ticket& ticket) const noexcept;
  // The part of `window` around plan.page that its ticket speaks for.
  [[nodiscard]] base::PageRun alike(base::PageRun window, const Plan& plan) const noexcept;
  // What the touched page was answered with.
  void count_fetched(PageSource::Outcome outcome) noexcept;
  [[nodiscard]] Outcome bring_parts(const Plan& plan) noexcept;
  [[nodiscard]] Outcome bring_zeros(const Plan& plan, Part& part) noexcept;
  [[nodiscard]] Outcome bring_images(const Plan& plan, Part& part) noexcept;
  void check_fetched(const Plan& plan, const Part& part,
                     std::span<const PageSource::Fetched> fetched) const noexcept;
  [[nodiscard]] Outcome bring_from_file(const Plan& plan, Part& part) noexcept;
  [[nodiscard]] Outcome bring_parked(const Plan& plan, Part& part) noexcept;
  // Brings the pages [first, end) of `part` in, from `content` of its first page on.
  [[nodiscard]] Outcome bring(const Plan& plan, Part& part, std::uint64_t first, std::uint64_t end,
                              const std::byte* content, const PageSource::Fetched* images,
                              std::atomic<std::uint64_t>& counter) noexcept;

  const Space& space_;
  const SegmentTable& segments_;
  Pager& pager_;
  Trimmer& trimmer_;
  DirtyTracker* tracker_ = nullptr;
  PageSource* source_ = nullptr;
  HostFileSource* host_files_ = nullptr;
  std::atomic<std::uint64_t> open_epoch_{~std::uint64_t{0}};
};

}  // namespace revenant::vm
