// The tickets that are kept: what ranges of pages stand for, and lone pages' parked images.
//
//   page --> directory (ticket_directory.h) --+
//                                             +--> record (ticket_pool.h) --> ticket (ticket.h)
//   page entry --> reference -----------------+         |
//   segment --> owner --> list of all its tickets ------+
//
// A range, whatever its size, has one ticket. It splits where a part changes, and joins equal
// neighbours of its owner again. A page whose image is parked by itself has a lone ticket instead,
// which the directory does not know: its entry refers to it (page_entry.h). It costs 32 bytes, and
// constant time to make and to take, whatever lies around it.
//
// The one ticket of untouched pages is kUntouched: zeros, owned by nobody, never taken back.
//
// How a reader without a lock gets a whole answer: it notes how many departures there were, goes
// through the directory, copies the record, and looks whether there were more. Records and nodes
// that readers may still reach do not change; what leaves is counted before it is used again. So no
// reader waits, even one that has interrupted the writer between any two of its instructions: a
// page's slot is one word, old or new. (vm_map_sequence.h has the same idea for entries.)
//
// I1  A page is in the extent of at most one range's ticket, and the directory names just that.
// I2  No two adjacent ranges of one owner have equal tickets.
// I3  A ticket belongs to one owner, and ends with it at the latest.
// I4  A reference says its ticket's generation: to use it when the ticket has gone is a bug, and
//     aborts.
//
// Whoever changes what pages stand for that may be present, or be filled ahead just now, releases
// them afterwards (released_runs.h).
//
// Threads: find() and get() from any, without a lock, in the fault handler. The rest takes lock_
// (rank kTickets), under which nothing touches persistent memory, so that the handler may take it,
// too: what a green thread may call leaves its stack for it (volatile_stack.h); make_lone() and
// take_lone() are for those whose stacks are not in the space. All memory is volatile and reserved
// once. Errors: open() fails when addresses cannot be reserved.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/function_ref.h"
#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/page_entry.h"
#include "vm/ticket.h"
#include "vm/ticket_directory.h"
#include "vm/ticket_pool.h"

namespace revenant::vm {

struct TicketStatistics {
  std::uint64_t tickets = 0;  // of all owners
  std::uint64_t nodes = 0;    // of the directory
  std::uint64_t bytes = 0;    // of all that was ever a ticket or a node
};

class TicketTable {
 public:
  // Told of parked images that nobody refers to any more: one for each page of the run, beginning
  // with ticket.reference_of(run.first). Called under the lock: may not call the table.
  using GiveBack = base::FunctionRef<void(base::PageRun run, const Ticket& ticket)>;
  // For owners that park nothing.
  struct KeepNothing {
    void operator()(base::PageRun, const Ticket&) const {}
  };
  static constexpr KeepNothing keep_nothing{};

  static constexpr TicketReference kUntouched{.number = 1, .generation = 0};

  TicketTable() = default;
  TicketTable(const TicketTable&) = delete;
  TicketTable& operator=(const TicketTable&) = delete;

  // To be called once, before anything else. Ranges lie in `pages`, whole chunks.
  [[nodiscard]] base::Status open(base::PageRun pages);

  [[nodiscard]] TicketOwner add_owner();
  // Ends the owner and all its tickets, at a cost of what it held.
  void end(TicketOwner owner, GiveBack give_back);
  [[nodiscard]] std::uint64_t count_of(TicketOwner owner) const;

  // From here on the pages of `run`, which are the owner's or nobody's, stand for `ticket`.
  void set(TicketOwner owner, base::PageRun run, const Ticket& ticket, GiveBack give_back);
  // From here on they have no ticket.
  void erase(TicketOwner owner, base::PageRun run, GiveBack give_back);
  // What a page of a range stands for; nothing where there is no range.
  [[nodiscard]] std::optional<Ticket> find(base::PageNumber page) const noexcept;
  // The whole range around `page`.
  [[nodiscard]] std::optional<base::PageRun> extent_at(base::PageNumber page) const;

  // A ticket for `page` alone, to be referred to by its entry.
  [[nodiscard]] TicketReference make_lone(TicketOwner owner, base::PageNumber page,
                                          const Ticket& ticket);
  // What it says; whoever asks keeps it from being taken meanwhile.
  [[nodiscard]] Ticket get(TicketReference reference) const noexcept;
  // Takes a lone ticket back, and says what it said. Its image is the caller's from here on.
  Ticket take_lone(TicketReference reference);

  [[nodiscard]] TicketStatistics statistics() const;
  // Everything, under the lock: for tests.
  void check_invariants() const;

 private:
  using Number = internal::TicketNumber;

  [[nodiscard]] internal::TicketCopy copy_of(TicketReference reference) const noexcept;
  // On a stack that is not in the space, with copies of what lies on one that is.
  void set_here(TicketOwner owner, base::PageRun run, Ticket ticket, GiveBack give_back)
      REVENANT_EXCLUDES(lock_);
  void erase_here(TicketOwner owner, base::PageRun run, GiveBack give_back)
      REVENANT_EXCLUDES(lock_);
  void end_here(TicketOwner owner, GiveBack give_back) REVENANT_EXCLUDES(lock_);
  // Takes `run` out of the extents of its tickets; their slots are still to be painted.
  void carve(TicketOwner owner, base::PageRun run, GiveBack give_back) REVENANT_REQUIRES(lock_);
  void trim(const internal::TicketCopy& cut, base::PageRun run) REVENANT_REQUIRES(lock_);
  // The range that ends before, or begins at, the page, if it is the owner's and equal to `ticket`.
  [[nodiscard]] Number equal_at(TicketOwner owner, base::PageNumber page,
                                const Ticket& ticket) const REVENANT_REQUIRES(lock_);
  // Makes what was retired free to be used again.
  void bury() REVENANT_REQUIRES(lock_);

  // Written under the lock, read by anybody.
  std::atomic<std::uint64_t> departures_{0};
  internal::TicketPool pool_;
  internal::TicketDirectory directory_;

  mutable base::Lock lock_{base::LockRank::kTickets};
};

}  // namespace revenant::vm
