#include "store/page_fetcher.h"

#include <sched.h>

#include <algorithm>
#include <cstring>

namespace revenant::store {
namespace {

// How often a fetch looks for a slot, yielding in between, before it calls the store damaged: some
// seconds, while opening a dead environment again takes milliseconds.
constexpr int kPatience = 1'000'000;

// Where a thread looks first: threads spread over the slots, and each comes back to a warm one.
std::size_t first_slot() {
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return (frame >> 16) * 0x9E3779B97F4A7C15ull >> 58;
}
static_assert(PageFetcher::kSlots == 64);  // first_slot gives six bits

}  // namespace

PageFetcher::PageFetcher(const std::string& branch) : head_key_(CatalogKey::head(branch)) {}

base::Status PageFetcher::open(LmdbEnvironment& environment) {
  for (Slot& slot : slots_) {
    auto transaction = environment.begin_read();
    if (!transaction.ok()) {
      close();
      return transaction.error();
    }
    slot.transaction.emplace(std::move(*transaction));
    slot.transaction->reset();
    slot.state.store(kFree, std::memory_order_release);
  }
  return {};
}

void PageFetcher::close() {
  for (Slot& slot : slots_) {
    std::uint32_t free = kFree;
    while (!slot.state.compare_exchange_weak(free, kClosed, std::memory_order_acquire)) {
      if (free == kClosed) break;
      free = kFree;
      ::sched_yield();  // I3
    }
    slot.transaction.reset();
  }
}

PageFetcher::Slot* PageFetcher::take() noexcept {
  std::size_t index = first_slot();
  for (int look = 0; look < kPatience; ++look) {
    Slot& slot = slots_[index];
    std::uint32_t free = kFree;
    if (slot.state.compare_exchange_strong(free, kBusy, std::memory_order_acquire)) {  // I1
      if (slot.transaction->renew()) return &slot;                                     // I2
      slot.state.store(kFree, std::memory_order_release);
    }
    index = (index + 1) % kSlots;
    if (look % kSlots == kSlots - 1) ::sched_yield();
  }
  return nullptr;
}

void PageFetcher::give_back(Slot& slot) noexcept {
  slot.transaction->reset();
  slot.state.store(kFree, std::memory_order_release);
}

TreeOutcome PageFetcher::head_root(const ReadTransaction& transaction,
                                   NodeReference& root) const noexcept {
  std::span<const std::byte> value;
  const Lookup found = transaction.get(Table::kCatalog, head_key_.bytes(), value);
  if (found == Lookup::kMissing) return TreeOutcome::kAbsent;
  if (found == Lookup::kFailed) return TreeOutcome::kDamaged;
  const auto record = unseal(head_key_.bytes(), value);
  HeadBytes head;
  if (!record || record->size() != sizeof head) return TreeOutcome::kDamaged;
  std::memcpy(&head, record->data(), sizeof head);
  root = head.root;
  return TreeOutcome::kFound;
}

void PageFetcher::fetch_run(const base::PageRun& run, base::Epoch not_before, std::byte* frames,
                            FetchOutcome* outcomes) noexcept {
  const auto fill = [&](FetchOutcome outcome) { std::fill_n(outcomes, run.count.value, outcome); };
  Slot* const slot = take();
  if (slot == nullptr) return fill(FetchOutcome::kDamaged);
  const ReadTransaction& transaction = *slot->transaction;
  NodeReference root;
  const TreeOutcome head = head_root(transaction, root);
  if (head != TreeOutcome::kFound) {
    fill(head == TreeOutcome::kAbsent ? FetchOutcome::kAbsent : FetchOutcome::kDamaged);
    return give_back(*slot);
  }
  TreeReader reader(transaction, root);
  for (std::uint64_t i = 0; i < run.count.value; ++i) {
    ImageReference image;
    TreeOutcome found = reader.find(run.first + base::PageCount{i}, image);
    if (found == TreeOutcome::kFound && image.birth() < not_before) found = TreeOutcome::kAbsent;
    if (found == TreeOutcome::kFound) {
      found = load_image(transaction, image, frames + i * base::kPageSize);
    }
    outcomes[i] = found == TreeOutcome::kFound    ? FetchOutcome::kImage
                  : found == TreeOutcome::kAbsent ? FetchOutcome::kAbsent
                                                  : FetchOutcome::kDamaged;
  }
  give_back(*slot);
}

TreeOutcome PageFetcher::find(base::PageNumber page, ImageReference& image) noexcept {
  Slot* const slot = take();
  if (slot == nullptr) return TreeOutcome::kDamaged;
  NodeReference root;
  TreeOutcome found = head_root(*slot->transaction, root);
  if (found == TreeOutcome::kFound) found = TreeReader(*slot->transaction, root).find(page, image);
  give_back(*slot);
  return found;
}

}  // namespace revenant::store
