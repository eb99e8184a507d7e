// Where the vm_map's blocks lie: carved off a reserved range, one after the other, and never given
// back to the kernel: what leaves the table is reused as a block of its shape (vm_map_sequence.h
// says why). The room of the first block stays empty: reference 0 is nowhere,
// and who reads an entry there without asking first finds none.
//
// Threads: carve() and block() are callable from any thread, without a lock.
// Errors: open() fails when the range cannot be reserved; an arena that is full aborts: it has room
// for several times the pages that a space can have.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "base/check.h"
#include "base/result.h"
#include "vm/vm_map_block.h"
#include "vm/volatile_memory.h"

namespace revenant::vm::internal {

class BlockArena {
 public:
  [[nodiscard]] base::Status open() { return memory_.reserve(kReservedBytes, "the page table"); }

  // A new block, outside the table.
  BlockRef carve(BlockShape shape) {
    const std::uint64_t units = bytes_of(shape) / kBlockUnit;
    const std::uint64_t at = used_units_.fetch_add(units, std::memory_order_relaxed);
    REVENANT_CHECK((at + units) * kBlockUnit <= memory_.bytes(),
                   "the page table has used all of its %zu bytes", memory_.bytes());
    const auto ref = static_cast<BlockRef>(at);
    new (memory_.begin() + at * kBlockUnit) Block(shape);
    return ref;
  }

  [[nodiscard]] Block& block(BlockRef ref) const {
    return *reinterpret_cast<Block*>(memory_.begin() + std::size_t{ref} * kBlockUnit);
  }
  // An entry of a full block.
  [[nodiscard]] const EntryCell& cell(CellsRef cells, unsigned index) const {
    // In words to the end: the processor then multiplies where it adds.
    const std::size_t at = cells + sizeof(EntryCell) / kCellsUnit * index;
    return *reinterpret_cast<const EntryCell*>(memory_.begin() + at * kCellsUnit);
  }
  [[nodiscard]] std::uint64_t used_bytes() const {
    return used_units_.load(std::memory_order_relaxed) * kBlockUnit;
  }

 private:
  static constexpr std::size_t kReservedBytes = kBlockUnit << kBlockRefBits;

  ReservedMemory memory_;
  std::atomic<std::uint64_t> used_units_{bytes_of(BlockShape::kFull) / kBlockUnit};
};

}  // namespace revenant::vm::internal
