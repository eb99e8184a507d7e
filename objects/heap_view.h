// The heap as it lies in memory, for reading: by the program itself, and by the tool in a dead
// image mapped at its addresses.
//
// Stateless: everything is found from addresses. Reads no lock and writes nothing; the answers are
// exact while nobody allocates, and safe at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/function_ref.h"
#include "base/result.h"
#include "objects/run_records.h"
#include "vm/ticket.h"

namespace revenant::objects {

struct World;

struct Block {
  std::byte* begin;
  std::size_t size;
  TypeId type;
  bool operator==(const Block&) const = default;
};

struct HeapFigures {
  std::uint64_t blocks = 0;
  std::uint64_t block_bytes = 0;
  std::uint64_t large_pages = 0;
  std::uint64_t slab_pages = 0;
  std::uint64_t reserve_pages = 0;
  std::uint64_t internal_pages = 0;
  std::uint64_t retained_pages = 0;
  std::uint64_t released_pages = 0;
};

class HeapView {
 public:
  explicit HeapView(const World& world) : world_(world) {}

  // The live block that `pointer` points into, if any.
  [[nodiscard]] std::optional<Block> resolve(const void* pointer) const;
  // All live blocks, by rising address.
  void for_each_block(base::FunctionRef<void(const Block&)> visit) const;
  [[nodiscard]] HeapFigures figures() const;
  // What a missing page of the heap stands for; safe in the fault handler.
  [[nodiscard]] static vm::Ticket ticket_of(base::PageNumber page) noexcept;
  // Walks slabs and page map; the first broken invariant is named.
  [[nodiscard]] base::Status check_invariants() const;

 private:
  const World& world_;
};

// The rule of the heap's segment.
class HeapTickets final : public vm::TicketRule {
 public:
  [[nodiscard]] vm::Ticket ticket_of(base::PageNumber page) const noexcept override {
    return HeapView::ticket_of(page);
  }
};

}  // namespace revenant::objects
