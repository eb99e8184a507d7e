// --check-volatile: words of a snapshot that point where a restart brings nothing back.
//
//   in the stop:  each word of what was copied --> points into volatile memory? --> finding
//   afterwards:   object, type and root, or thread and frame, in one sentence on stderr
//
// A word is all it looks at: a number may look like an address, and a frame may hold words that
// nobody will read again. So a finding is a hint, and the program goes on.
//
// I1  A place is told once, and no more than kMostFindings of them.
// I2  Looked at are live blocks of the heap, persistent globals, and of stacks what lies in frames
//     of the program's own: the runtime's frames hold volatile addresses that they look at again
//     after a restart.
// I3  What lies below a parked thread's frames is zeroed, and what the runtime's own frames hold is
//     remembered: frames entered later do not seem to hold what earlier ones left there.
//
// Threads: scan() in the stop, by who runs its step; tell() afterwards, by the snapshotter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/units.h"
#include "objects/heap_view.h"
#include "runtime/snapshots/page_copies.h"
#include "runtime/snapshots/volatile_mappings_linux.h"

namespace revenant::objects {
class Heap;
class Roots;
class Types;
}  // namespace revenant::objects

namespace revenant::runtime {

struct ThreadRecord;

class VolatileCheck {
 public:
  static constexpr std::size_t kMostFindings = 32;

  // What names objects: the program's.
  VolatileCheck(const objects::Heap& heap, const objects::Roots& roots, const objects::Types& types)
      : heap_(heap), roots_(roots), types_(types) {}

  // Looks through `copies`, which are of this instant.
  void scan(const PageCopies& copies);
  // Says what the last scan found in the snapshot `epoch`, on stderr.
  void tell(base::Epoch epoch);

 private:
  // A frame of a parked thread, by its return addresses: [low, high) of its stack.
  struct Frame {
    std::uintptr_t low = 0;
    std::uintptr_t high = 0;
    std::uintptr_t instruction = 0;
  };
  struct Stack {
    std::uintptr_t low = 0;  // the saved stack pointer: what lies below is no more
    std::uintptr_t high = 0;
    std::uintptr_t lowest = 0;  // where the stack would overflow
    std::uint64_t thread = 0;
    std::string name;
    std::vector<Frame> frames;
  };
  struct Finding {
    std::uintptr_t place = 0;
    std::uintptr_t value = 0;
    std::string memory;  // what it points into
    std::uint64_t thread = 0;
    std::string thread_name;
    Frame frame;                          // of a word on a stack
    std::optional<objects::Block> block;  // of a word in the heap
  };

  void read_stacks();
  void clear_below(base::PageNumber page) const;
  [[nodiscard]] static Stack stack_of(const ThreadRecord& thread);
  void look_at(std::uintptr_t place, std::uintptr_t value);
  [[nodiscard]] const Stack* stack_at(std::uintptr_t place) const;
  [[nodiscard]] std::string describe_place(const Finding& finding) const;

  const objects::Heap& heap_;
  const objects::Roots& roots_;
  const objects::Types& types_;

  VolatileMappings mappings_;
  std::vector<Stack> stacks_;  // by rising address
  std::vector<Finding> found_;
  std::map<std::uintptr_t, std::uintptr_t> left_;  // what runtime frames held, by place (I3)
  std::set<std::uintptr_t> told_;                  // I1
};

}  // namespace revenant::runtime
