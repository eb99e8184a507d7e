#include "vm/page_list.h"

#include <algorithm>
#include <new>

namespace revenant::vm {

base::Status PageLists::open(base::PageCount budget) {
  budget_ = budget.value;
  counters_.budget_bytes.store(budget.bytes(), std::memory_order_relaxed);
  return memory_.reserve(kMostFrames * sizeof(Frame), "the frames of a memory budget");
}

std::size_t PageLists::take_free(FrameNumber* out, std::size_t wanted, bool beyond) noexcept {
  const base::LockGuard guard(lock_);
  std::uint64_t in_use = in_use_.load(std::memory_order_relaxed);
  std::size_t taken = 0;
  while (taken < wanted && (in_use < budget_ || beyond)) {
    Frame* frame = free_.pop_front();
    if (frame == nullptr) {
      if (carved_ == kMostFrames) break;
      frame = new (&frame_at(static_cast<FrameNumber>(carved_++))) Frame;
    }
    out[taken++] = number_of(*frame);
    ++in_use;
  }
  set_in_use(in_use);
  return taken;
}

void PageLists::give_back(std::span<const FrameNumber> frames) noexcept {
  retire(frames);
  settle(frames.size());
}

void PageLists::retire(std::span<const FrameNumber> frames) noexcept {
  const base::LockGuard guard(lock_);
  for (const FrameNumber number : frames) {
    Frame& frame = frame_at(number);
    unlink(frame);
    frame.page = {};
    free_.push_front(frame);
  }
}

void PageLists::settle(std::uint64_t frames) noexcept {
  const base::LockGuard guard(lock_);
  set_in_use(in_use() - frames);
}

void PageLists::set_in_use(std::uint64_t frames) noexcept {
  in_use_.store(frames, std::memory_order_relaxed);
  counters_.free_pages.store(budget_ - std::min(budget_, frames), std::memory_order_relaxed);
}

void PageLists::append(ListName name, FrameNumber number, base::PageNumber page) noexcept {
  const base::LockGuard guard(lock_);
  link(name, number, page);
}

void PageLists::append_new(FrameNumber number, base::PageNumber page, Origin origin) noexcept {
  const base::LockGuard guard(lock_);
  link(ListName::kActive, number, page);
  frame_at(number).born = origin == Origin::kNothing ? round_ : 0;
}

void PageLists::link(ListName name, FrameNumber number, base::PageNumber page) noexcept {
  Frame& frame = frame_at(number);
  unlink(frame);
  frame.page = page;
  frame.list = name;
  frame.round = round_;
  list(name).push_back(frame);
  note_length(name);
}

PageLists::Seen PageLists::seen_in(std::uint64_t round, FrameNumber number) const noexcept {
  const base::LockGuard guard(lock_);
  const Frame& frame = frame_at(number);
  if (frame.born > round) return Seen::kNot;
  return frame.round > round ? Seen::kPage : Seen::kContent;
}

void PageLists::unlink(Frame& frame) noexcept {
  if (!frame.hook.linked()) return;
  REVENANT_CHECK(!free_.contains(frame), "a free frame is on a list");  // I1
  list(frame.list).erase(frame);
  note_length(frame.list);
}

void PageLists::note_length(ListName name) noexcept {
  length_of(name).store(list(name).size(), std::memory_order_relaxed);
}

void PageLists::take_off(FrameNumber number) noexcept {
  const base::LockGuard guard(lock_);
  unlink(frame_at(number));
}

std::size_t PageLists::take_oldest(ListName name, std::span<Candidate> out) noexcept {
  const base::LockGuard guard(lock_);
  std::size_t count = 0;
  while (count < out.size() && !list(name).empty()) {
    Frame& frame = *list(name).front();
    out[count++] = {number_of(frame), frame.page};
    unlink(frame);
  }
  return count;
}

std::uint64_t PageLists::next_round(DirtyList& out) noexcept {
  const base::LockGuard guard(lock_);
  List& modified = list(ListName::kModified);
  for (Frame* frame = modified.back(); frame != nullptr && frame->round == round_;) {
    out.append({frame->page, {1}});
    frame = modified.previous(*frame);  // I3
  }
  return round_++;
}

void PageLists::check_invariants() {
  const base::LockGuard guard(lock_);
  std::uint64_t listed = free_.size();
  free_.check_invariants();
  for (std::size_t name = 0; name < kListNames; ++name) {
    lists_[name].check_invariants();
    listed += lists_[name].size();
    std::uint64_t round = 0;
    for (const Frame& frame : lists_[name]) {
      REVENANT_CHECK(static_cast<std::size_t>(frame.list) == name);  // I1
      REVENANT_CHECK(name != static_cast<std::size_t>(ListName::kModified) || frame.round >= round);
      round = std::max(round, frame.round);  // I3
    }
  }
  REVENANT_CHECK(listed < carved_, "%llu frames stand on lists, of %llu",
                 static_cast<unsigned long long>(listed), static_cast<unsigned long long>(carved_));
}

}  // namespace revenant::vm
