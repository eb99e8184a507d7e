// Which descriptors green threads may use: numbers in frames outlive the process that opened them.
//
//   number:   0 1 2 | 3 4 5 6 ....................... | base ........... base + 64
//             always| green threads' and inherited    | the runtime's own
//   entry:          | 0: free  g: obtained in g       | never marked
//   own:            | the runtime's that lie here, while they do, and those above
//
// The entries lie in the space, one generation number for each descriptor number: a thread that
// comes back after a restart finds that its descriptor is of an earlier generation, and is told
// EBADF.
//
// I1  A number is usable by green threads if it is 0, 1 or 2 or its entry is the current
//     generation. Calls of libc and of syscall() mark what they open; one that came otherwise (a
//     system call that is not libc's own, one of another OS thread) is marked when it is first
//     used, unless it is stale.
// I2  A number of an earlier generation is stale: frames may hold it, so it is not handed out until
//     it was closed, or none that is not stale is left; then the oldest is.
// I3  The runtime's own descriptors are noted as such, in memory of this process, whatever the
//     entries say: green threads can neither use, close nor replace them. They lie high, so that
//     they use up no number a program expects to get, or as high as a lowered limit allows.
//
// A descriptor is there before it can be noted. While one is being made or closed for the runtime,
// a number that is nobody's by its marks is not given to green threads: whoever asks waits, and is
// refused if that takes long. dup2 takes a number that was free only where the kernel still finds
// it so.
//
// Closing a stale number reports EBADF, as every use of it does, and forgets it.
//
// Threads: any; entries, notes and their count are atomic, and no lock is held, so that a signal's
// handler may open and close. note_inherited() and attach() before green threads run.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "vm/space.h"

namespace revenant::runtime {

// A segment of memory that is all there (vm::StoredRule).
inline constexpr base::PageRun kDescriptorTableRun = vm::space_run(64 * vm::kMiB, 4 * vm::kMiB);
inline constexpr int kDescriptorLimit =
    static_cast<int>(kDescriptorTableRun.count.bytes() / sizeof(std::uint32_t));

class DescriptorTable {
 public:
  using Entry = std::atomic<std::uint32_t>;
  // The store's, the tracker's, the first thread's, the figures', and one that is closed again.
  static constexpr int kLeastFree = 13;

  static constexpr int kNotesInWord = 64;

  // The process's, over kDescriptorTableRun. In static storage.
  static DescriptorTable& instance();
  // `entries`: kDescriptorLimit of them.
  explicit DescriptorTable(Entry* entries) : entries_(entries) {}

  // At the start of run(): what is open now is the program's, and what the runtime opens from here
  // on is its own. Standard descriptors that are closed are opened on /dev/null.
  // kUnsupportedHost where too few more may be opened.
  [[nodiscard]] base::Status note_inherited();
  // Once the space is there: makes `generation` the current one, and what was inherited usable.
  void attach(std::uint64_t generation);

  [[nodiscard]] bool usable(int descriptor);
  // A new descriptor of a green thread: marks it, moving it to another number if that is stale
  // (I2). Returns the number, or -1 with errno set and the descriptor closed. Negative ones pass
  // through.
  int adopt(int descriptor);
  // After a close, or of a stale number.
  void forget(int descriptor);
  // dup3 for green threads: `to` is theirs or free, or the call is refused (I3).
  int put_in_place(int from, int to, int flags);

  // A new descriptor of the runtime's own, which `make` returns: notes it and moves it up. Plain
  // `make` before note_inherited().
  template <class F>
  int make_own(F make) {
    const Change change(changes_);
    return note_own(make());
  }
  // close, for everybody but green threads.
  int close_own(int descriptor);

 private:
  // While one of the runtime's own is being made or closed.
  class Change {
   public:
    explicit Change(std::atomic<int>& changes) : changes_(changes) { ++changes_; }
    ~Change() { --changes_; }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    std::atomic<int>& changes_;
  };

  [[nodiscard]] bool is_own(int descriptor) const;
  void set_own(int descriptor, bool own);
  [[nodiscard]] bool is_nobodys(int descriptor) const;
  int note_own(int descriptor);
  int move_own_up(int descriptor);
  [[nodiscard]] bool stale(int descriptor) const;
  int adopt_in_place_of_oldest(int descriptor);
  void mark(int descriptor);

  Entry* const entries_;
  std::uint32_t generation_ = 0;
  int runtime_base_ = 0;
  std::atomic<bool> guarding_{false};
  std::atomic<int> changes_{0};
  std::array<std::atomic<std::uint64_t>, kDescriptorLimit / kNotesInWord> own_{};
  std::vector<int> inherited_;
};

}  // namespace revenant::runtime
