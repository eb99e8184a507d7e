#include "store/parked_images.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "store/store_state.h"

namespace revenant::store {

ParkedImages::~ParkedImages() {
  if (pieces_ == nullptr) return;
  for (const auto& piece : *pieces_) delete[] piece.load(std::memory_order_relaxed);
}

base::Result<ParkedNumber> ParkedImages::park(base::PageNumber page, const std::byte* contents,
                                              const ContentHash& hash) {
  const auto known = of_page_.find(page.value);
  if (known != of_page_.end() && image_in(*slot(known->second)).hash == hash) return known->second;
  if (!writing_) {
    REVENANT_TRY(state_.prepare_epoch());
    REVENANT_ASSIGN(writing_, state_.environment().begin_write());
  }
  ImageReference image;
  image.birth_and_algorithm = pack_birth(base::Epoch{state_.counters.next_epoch},
                                         static_cast<std::uint8_t>(Algorithm::kXxh3Whole));
  image.key = next_key();
  image.hash = hash;
  std::copy_n(contents + kImageValueSize, kImageTailSize, image.tail.data());
  const base::Status put =
      writing_->append(Table::kImages, image.key, std::span(contents, kImageValueSize));
  auto number = put.ok() ? take_number() : base::Result<ParkedNumber>(put.error());
  if (!number.ok()) {
    undo();
    return number;
  }
  next_key_ = image.key + 1;
  Fresh fresh{.page = page, .number = *number};
  if (known != of_page_.end()) fresh.superseded = known->second;
  fresh_.push_back(fresh);
  write(*number, image);
  of_page_[page.value] = *number;
  return number;
}

base::Status ParkedImages::finish() {
  if (!writing_) return {};
  base::Status committed = writing_->commit();
  writing_.reset();
  if (!committed.ok()) {
    undo();
    (void)state_.mend();
    return committed;
  }
  for (const Fresh& fresh : fresh_) {
    if (!fresh.superseded) continue;
    garbage_.push_back(image_in(*slot(*fresh.superseded)).key);
    free_number(*fresh.superseded);  // I3
  }
  fresh_.clear();
  return {};
}

void ParkedImages::undo() {
  writing_.reset();
  while (!fresh_.empty()) {  // the last first: a page may be among them twice
    const Fresh fresh = fresh_.back();
    fresh_.pop_back();
    free_number(fresh.number);
    if (fresh.superseded) {
      of_page_[fresh.page.value] = *fresh.superseded;
    } else {
      of_page_.erase(fresh.page.value);
    }
  }
}

void ParkedImages::forget(const base::PageRun& run, IsWanted is_wanted) {
  if (of_page_.empty()) return;
  const auto forgets = [&](std::uint64_t page, ParkedNumber number) {
    const ImageReference image = image_in(*slot(number));
    if (is_wanted({page}, number, image.hash)) return false;
    garbage_.push_back(image.key);
    free_number(number);
    return true;
  };
  if (run.count.value < of_page_.size()) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      const auto found = of_page_.find(page.value);
      if (found != of_page_.end() && forgets(found->first, found->second)) of_page_.erase(found);
    }
    return;
  }
  boost::unordered::erase_if(of_page_, [&](const auto& entry) {
    return run.contains({entry.first}) && forgets(entry.first, entry.second);
  });
}

std::optional<ParkedImages::Reading> ParkedImages::read(ParkedNumber number) const noexcept {
  const Slot* const found = slot(number);
  if (found == nullptr) return std::nullopt;
  Reading reading{.sequence = found->sequence.load(std::memory_order_acquire),
                  .image = image_in(*found)};
  if (reading.sequence % 2 != 0 || !still_holds(number, reading)) return std::nullopt;
  if (!reading.image.present()) return std::nullopt;
  return reading;
}

bool ParkedImages::still_holds(ParkedNumber number, const Reading& reading) const noexcept {
  return slot(number)->sequence.load(std::memory_order_acquire) == reading.sequence;
}

void ParkedImages::for_each(Visit visit) const {
  for (const auto& [page, number] : of_page_) visit({page}, image_in(*slot(number)));
}

void ParkedImages::taken_over() {
  for (const auto& [page, number] : of_page_) free_number(number);
  of_page_.clear();
  garbage_.clear();
}

std::uint64_t ParkedImages::next_key() const {
  return std::max(next_key_, state_.counters.next_image);
}

std::vector<std::uint64_t> ParkedImages::keys() const {
  std::vector<std::uint64_t> keys = garbage_;
  for_each([&](base::PageNumber, const ImageReference& image) { keys.push_back(image.key); });
  std::ranges::sort(keys);
  return keys;
}

ParkedImages::Slot* ParkedImages::slot(ParkedNumber number) const noexcept {
  if (pieces_ == nullptr || number == 0) return nullptr;
  Slot* const piece = (*pieces_)[number / kSlotsPerPiece].load(std::memory_order_acquire);
  return piece == nullptr ? nullptr : piece + number % kSlotsPerPiece;
}

ImageReference ParkedImages::image_in(const Slot& slot) const noexcept {
  std::array<std::uint64_t, kWords> words;
  for (std::size_t i = 0; i < kWords; ++i) words[i] = slot.words[i].load(std::memory_order_acquire);
  return std::bit_cast<ImageReference>(words);
}

void ParkedImages::write(ParkedNumber number, const ImageReference& image) {
  const auto words = std::bit_cast<std::array<std::uint64_t, kWords>>(image);
  Slot& changed = *slot(number);
  const std::uint64_t sequence = changed.sequence.load(std::memory_order_relaxed);
  changed.sequence.store(sequence + 1, std::memory_order_release);  // I2
  for (std::size_t i = 0; i < kWords; ++i) {
    changed.words[i].store(words[i], std::memory_order_release);
  }
  changed.sequence.store(sequence + 2, std::memory_order_release);
}

base::Result<ParkedNumber> ParkedImages::take_number() {
  if (!free_.empty()) {
    const ParkedNumber number = free_.back();
    free_.pop_back();
    return number;
  }
  if (pieces_ == nullptr) {
    pieces_ = std::make_unique<std::array<std::atomic<Slot*>, kPieces>>();
  }
  const ParkedNumber number = numbers_ + 1;
  if (number / kSlotsPerPiece == kPieces) {
    return base::Error{base::ErrorCode::kNoSpace,
                       "more pages are paged out than the store keeps track of between two "
                       "snapshots; take snapshots more often"};
  }
  auto& piece = (*pieces_)[number / kSlotsPerPiece];
  if (piece.load(std::memory_order_relaxed) == nullptr) {
    piece.store(new Slot[kSlotsPerPiece], std::memory_order_release);
  }
  free_.reserve(number);  // so that freeing never fails
  numbers_ = number;
  return number;
}

void ParkedImages::free_number(ParkedNumber number) {
  write(number, {});
  free_.push_back(number);
}

}  // namespace revenant::store
