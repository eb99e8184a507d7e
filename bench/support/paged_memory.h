// The space over a real store, outside a program: what the benches of faults and paging measure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "runtime/snapshots/store_source.h"
#include "store/store.h"
#include "tests/support/temporary_directory.h"
#include "vm/memory_manager.h"

namespace revenant::bench {

using ScratchDirectory = testing::TemporaryDirectory;

// The heap's first pages are stored, those of the stacks are zeros until they are written.
class PagedMemory {
 public:
  // `stored`: pages that the store has images of; `budget`: pages in memory at most, 0 for any.
  PagedMemory(const std::filesystem::path& directory, std::uint64_t stored, std::uint64_t budget);

  [[nodiscard]] vm::MemoryManager& memory() { return *memory_; }
  [[nodiscard]] base::PageRun stored() const { return stored_; }
  [[nodiscard]] static base::PageRun zeros(std::uint64_t pages) {
    return {vm::kStackRun.first, {pages}};
  }
  // All that is in memory of `run` leaves the space.
  void take_out(base::PageRun run);

 private:
  base::PageRun stored_;
  std::unique_ptr<store::Store> store_;
  runtime::StoreSource source_;
  vm::StoredRule rule_;
  struct ZeroRule final : vm::TicketRule {
    [[nodiscard]] vm::Ticket ticket_of(base::PageNumber) const noexcept override {
      return vm::Ticket::zero_fill();
    }
  } zero_rule_;
  std::unique_ptr<vm::MemoryManager> memory_;
  std::optional<vm::AdoptedThread> adopted_;
};

// Fills `frame` with what the store has of `page`.
void fill_page(base::PageNumber page, std::byte* frame);

}  // namespace revenant::bench
