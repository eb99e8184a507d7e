// How a reader without a lock gets an entry whole: a sequence number, and the writer's draft.
//
//   writer, under the stripe's lock          reader, anywhere, at any time
//   1. draft: the page, its old words        1. take the number
//   2. number becomes odd                    2. find the entry's words
//   3. the entry's words change              3. number odd, and the draft is of this page:
//   4. number becomes even                      take the old words from the draft
//                                            4. number still the same: done; else again
//
// A writer changes one entry at a time, so that everything but that entry may be read even while it
// is inside; and that entry's old words lie in the draft. So no reader waits for a writer: a signal
// handler reads even where it has interrupted the writer itself, between any two instructions.
//
// A block that leaves the table raises the number too, after it is unlinked and before it can be
// used again (departed). A reader whose number has not changed has therefore met no block that was
// reused under its feet. This is the whole of reclamation: a block's memory never becomes anything
// but a block, late readers read nonsense from it and throw it away. Epochs or hazard pointers
// would make every reader write, and would have to know the thread that a signal handler runs on.
//
// One number a stripe and not one a block: it stays in the first-level cache, the blocks' headers
// need not be fetched, and one number answers for both what is written and what departs.
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
  [[nodiscard]] std::uint64_t begin() const { return number_.load(std::memory_order_acquire); }
  void correct(std::uint64_t begun, base::PageNumber page, PageEntry::Words& words) const {
    if ((begun & 1) == 0) [[likely]]
      return;
    if (drafted_page_.load(std::memory_order_acquire) == page.value) words = draft_.load();
  }
  [[nodiscard]] bool unchanged(std::uint64_t begun) const {
    return number_.load(std::memory_order_relaxed) == begun;
  }

  // Steps 3 and 4 for a reader that has another way when a writer is inside.
  [[nodiscard]] bool was_still(std::uint64_t begun) const {
    return number_.load(std::memory_order_relaxed) == (begun & ~std::uint64_t{1});
  }

  // The rest is for the holder of the stripe's lock.
  void write(base::PageNumber page, EntryCell& cell, const PageEntry::Words& words) {
    const std::uint64_t number = number_.load(std::memory_order_relaxed);
    drafted_page_.store(page.value, std::memory_order_release);
    draft_.store(cell.load());
    number_.store(number + 1, std::memory_order_release);
    cell.store(words);
    number_.store(number + 2, std::memory_order_release);
  }
  void departed() {
    number_.store(number_.load(std::memory_order_relaxed) + 2, std::memory_order_release);
  }

 private:
  // 64 bits do not come round while a reader sleeps.
  std::atomic<std::uint64_t> number_{0};
  std::atomic<std::uint64_t> drafted_page_{0};
  EntryCell draft_;
};
static_assert(sizeof(WriteSequence) == 64);

}  // namespace revenant::vm::internal
