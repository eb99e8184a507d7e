#include "bench/support/paged_memory.h"

#include <cstring>
#include <vector>

#include "bench/support/must.h"

namespace revenant::bench {

void fill_page(base::PageNumber page, std::byte* frame) {
  for (std::size_t word = 0; word < base::kPageSize / 8; ++word) {
    const std::uint64_t value = (page.value << 9 | word) * 0x9E3779B97F4A7C15ull;
    std::memcpy(frame + word * 8, &value, 8);
  }
}

PagedMemory::PagedMemory(const std::filesystem::path& directory, std::uint64_t stored,
                         std::uint64_t budget)
    : stored_{vm::kHeapRun.first, {stored}} {
  auto opened = store::Store::open({.path = directory / "store", .program = "bench"});
  must(opened);
  store_ = std::move(*opened);
  alignas(64) std::byte frame[base::kPageSize];
  store::EpochWriter& writer = store_->begin_epoch();
  for (base::PageNumber page = stored_.first; page < stored_.end(); ++page) {
    fill_page(page, frame);
    must(writer.put(page, frame, store::hash_page(frame)));
  }
  must(writer.commit({}));
  source_.attach(*store_);
  memory_ = std::make_unique<vm::MemoryManager>();
  must(memory_->open({.memory_budget = {budget}}, source_));
  must(memory_->add_segment("stored", vm::kHeapRun, rule_));
  must(memory_->add_segment("zeros", vm::kStackRun, zero_rule_));
  adopted_.emplace(std::move(memory_->adopt_thread()).value());
}

void PagedMemory::take_out(base::PageRun run) {
  std::vector<vm::Pager::Candidate> candidates;
  for (base::PageNumber page = run.first; page < run.end(); ++page) {
    const auto entry = memory_->map().find(page);
    if (entry.has_value()) candidates.push_back({entry->frame(), page});
  }
  memory_->pager().take_out(candidates);
}

}  // namespace revenant::bench
