// How a reader without a lock gets an entry whole: two counts of writes, and the writer's draft.
//
//   writer, under the stripe's lock          reader, anywhere, at any time
//   1. draft: the page, its old words        1. take the count of writes that ended
//   2. one more has begun                    2. find the entry's words
//   3. the entry's words change              3. more have begun, and the draft is of this page:
//   4. one more has ended                       take the old words from the draft
//                                            4. no more have ended: done; else again
//
// A writer changes one entry at a time, so that everything but that entry may be read even while it
// is inside; and that entry's old words lie in the draft. So no reader waits for a writer: a signal
// handler reads even where it has interrupted the writer itself, between any two instructions.
//
// A block that leaves the table counts as a write too, of no page, after it is unlinked and before
// it can be used again (departed). A reader whose counts have not changed has therefore met no
// block that was reused under its feet. This is the whole of reclamation: a block's memory never
// becomes anything but a block, late readers read nonsense from it and throw it away. Epochs or
// hazard pointers would make every reader write, and would have to know the thread that a signal
// handler runs on.
//
// One pair a stripe and not one a block: it stays in the first-level cache, the blocks' headers
// need not be fetched, and it answers for both what is written and what departs.
//
// Words are stored with release and loaded with acquire, in place of fences (Boehm, "Can seqlocks
// get along with programming language memory models?", MSPC 2012): plain moves on x86-64.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/units.h"
#include "vm/page_entry.h"

namespace revenant::vm::internal {

// The words of an entry, as readers without a lock see them.
class EntryCell {
 public:
  [[nodiscard]] PageEntry::Words load() const {
    return {words_[0].load(std::memory_order_acquire), words_[1].load(std::memory_order_acquire),
            words_[2].load(std::memory_order_acquire)};
  }
  void store(const PageEntry::Words& words) {
    for (int i = 0; i < 3; ++i) words_[i].store(words[i], std::memory_order_release);
  }

 private:
  std::atomic<std::uint64_t> words_[3]{};
};
static_assert(sizeof(EntryCell) == sizeof(PageEntry));

class alignas(64) WriteSequence {
 public:
  // The reader's steps 1, 3 and 4.
  [[nodiscard]] std::uint64_t begin() const { return ended_.load(std::memory_order_acquire); }
  void correct(std::uint64_t begun, base::PageNumber page, PageEntry::Words& words) const {
    if (begun_.load(std::memory_order_acquire) == begun) [[likely]]
      return;
    if (drafted_page_.load(std::memory_order_acquire) == page.value) words = draft_.load();
  }
  [[nodiscard]] bool unchanged(std::uint64_t begun) const {
    return ended_.load(std::memory_order_relaxed) == begun;
  }

  // Steps 3 and 4 for a reader that has another way when a writer is inside.
  [[nodiscard]] bool was_quiet(std::uint64_t begun) const {
    return begun_.load(std::memory_order_relaxed) == begun;
  }

  // The rest is for the holder of the stripe's lock.
  void write(base::PageNumber page, EntryCell& cell, const PageEntry::Words& words) {
    drafted_page_.store(page.value, std::memory_order_release);
    draft_.store(cell.load());
    const std::uint64_t number = ended_.load(std::memory_order_relaxed) + 1;
    begun_.store(number, std::memory_order_release);
    cell.store(words);
    ended_.store(number, std::memory_order_release);
  }
  void departed() {
    drafted_page_.store(kNoPage, std::memory_order_release);
    const std::uint64_t number = ended_.load(std::memory_order_relaxed) + 1;
    begun_.store(number, std::memory_order_release);
    ended_.store(number, std::memory_order_release);
  }

 private:
  static constexpr std::uint64_t kNoPage = ~std::uint64_t{0};

  // 64 bits do not come round while a reader sleeps.
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> ended_{0};
  std::atomic<std::uint64_t> drafted_page_{kNoPage};
  EntryCell draft_;
};
static_assert(sizeof(WriteSequence) == 64);

}  // namespace revenant::vm::internal
