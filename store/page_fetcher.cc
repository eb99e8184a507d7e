#include "store/page_fetcher.h"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

namespace revenant::store {
namespace {

// Whoever finds no slot yields at first: another fetch gives one back within microseconds. Then it
// naps: the environment is being opened again, which takes milliseconds, or a disk to be mended.
constexpr int kYields = 1000;
constexpr timespec kNap{.tv_sec = 0, .tv_nsec = 1'000'000};

void wait_a_little(int passes) {
  if (passes < kYields) {
    ::sched_yield();
  } else {
    ::nanosleep(&kNap, nullptr);
  }
}

// Where a thread looks first: threads spread over the slots, and each comes back to a warm one.
std::size_t first_slot() {
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return (frame >> 16) * 0x9E3779B97F4A7C15ull >> 58;
}
static_assert(PageFetcher::kSlots == 64);  // first_slot gives six bits

}  // namespace

PageFetcher::PageFetcher(const std::string& branch) : head_key_(CatalogKey::head(branch)) {}

base::Status PageFetcher::open(LmdbEnvironment& environment) {
  std::vector<ReadTransaction> transactions;  // all of them before the first is used
  transactions.reserve(kSlots);
  while (transactions.size() < kSlots) {
    REVENANT_ASSIGN(ReadTransaction transaction, environment.begin_read());
    transactions.push_back(std::move(transaction));
  }
  for (Slot& slot : slots_) {
    slot.transaction.emplace(
        std::move(transactions[static_cast<std::size_t>(&slot - slots_.data())]));
    REVENANT_ASSIGN(Cursor images, Cursor::open(*slot.transaction, Table::kImages));
    slot.images.emplace(std::move(images));
    slot.transaction->reset();
    slot.state.store(kFree, std::memory_order_release);
  }
  open_.store(true, std::memory_order_relaxed);
  return {};
}

void PageFetcher::close() {
  open_.store(false, std::memory_order_relaxed);
  for (Slot& slot : slots_) {
    std::uint32_t free = kFree;
    while (!slot.state.compare_exchange_weak(free, kClosed, std::memory_order_acquire)) {
      if (free == kClosed) break;
      free = kFree;
      ::sched_yield();  // I3
    }
    slot.images.reset();
    slot.transaction.reset();
  }
}

// One look at each slot; null when all are taken or closed, or the environment is dead.
PageFetcher::Slot* PageFetcher::try_take() noexcept {
  const std::size_t first = first_slot();
  for (std::size_t look = 0; look < kSlots; ++look) {
    Slot& slot = slots_[(first + look) % kSlots];
    std::uint32_t free = kFree;
    if (!slot.state.compare_exchange_strong(free, kBusy, std::memory_order_acquire))
      continue;                                                                            // I1
    if (slot.transaction->renew() && slot.images->renew(*slot.transaction)) return &slot;  // I2
    slot.state.store(kFree, std::memory_order_release);
  }
  return nullptr;
}

PageFetcher::Slot* PageFetcher::take() noexcept {
  for (int passes = 0;; ++passes) {
    if (Slot* slot = try_take()) return slot;
    if (given_up_.load(std::memory_order_relaxed) && !is_open()) return nullptr;
    wait_a_little(passes);  // I3
  }
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
                            Fetched* fetched) noexcept {
  const auto fill = [&](FetchOutcome outcome) {
    std::fill_n(fetched, run.count.value, Fetched{.outcome = outcome});
  };
  Slot* const slot = take();
  if (slot == nullptr) return fill(FetchOutcome::kUnavailable);
  const ReadTransaction& transaction = *slot->transaction;
  NodeReference root;
  const TreeOutcome head = head_root(transaction, root);
  if (head != TreeOutcome::kFound) {
    fill(head == TreeOutcome::kAbsent ? FetchOutcome::kAbsent : FetchOutcome::kDamaged);
    return give_back(*slot);
  }
  TreeReader reader(transaction, root);
  ImageReader images(*slot->images);
  for (std::uint64_t i = 0; i < run.count.value; ++i) {
    ImageReference image;
    TreeOutcome found = reader.find(run.first + base::PageCount{i}, image);
    if (found == TreeOutcome::kFound && image.birth() < not_before) found = TreeOutcome::kAbsent;
    if (found == TreeOutcome::kFound) {
      found = images.load(image, frames + i * base::kPageSize);
    }
    fetched[i] = found == TreeOutcome::kFound    ? Fetched{FetchOutcome::kImage, image.hash}
                 : found == TreeOutcome::kAbsent ? Fetched{FetchOutcome::kAbsent, {}}
                                                 : Fetched{FetchOutcome::kDamaged, {}};
  }
  give_back(*slot);
}

FetchOutcome PageFetcher::fetch_image(const ImageReference& image, std::byte* frame) noexcept {
  Slot* const slot = take();
  if (slot == nullptr) return FetchOutcome::kUnavailable;
  const TreeOutcome found = load_image(*slot->transaction, image, frame);
  give_back(*slot);
  return found == TreeOutcome::kFound ? FetchOutcome::kImage : FetchOutcome::kDamaged;
}

base::Result<std::optional<PageReference>> PageFetcher::find(const LmdbEnvironment& environment,
                                                             base::PageNumber page) {
  Slot* slot = nullptr;
  for (int passes = 0; slot == nullptr && passes < kYields; ++passes) {
    if (passes != 0) ::sched_yield();
    slot = try_take();
  }
  if (slot == nullptr) return environment.unavailable();
  NodeReference root;
  const TreeOutcome head = head_root(*slot->transaction, root);
  base::Result<std::optional<PageReference>> found = std::optional<PageReference>();
  if (head == TreeOutcome::kDamaged)
    found = environment.damaged("the head of its branch is broken");
  if (head == TreeOutcome::kFound) found = find_reference(*slot->transaction, root, page);
  give_back(*slot);
  return found;
}

}  // namespace revenant::store
