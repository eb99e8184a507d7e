#include "bench/support/replacement_policies.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/intrusive_list.h"

namespace revenant::bench {
namespace {

using Pages = std::uint32_t;

// Pages on queues, each on one at most, the oldest first.
struct Queued {
  base::ListHook hook;
  int queue = 0;
};
using Queue = base::IntrusiveList<Queued, &Queued::hook>;

class Queues {
 public:
  Queues(std::size_t queues, Pages pages) : queues_(queues), pages_(pages) {}

  [[nodiscard]] std::size_t size(int queue) const { return queues_[at(queue)].size(); }
  [[nodiscard]] bool holds(int queue, Pages page) const {
    return pages_[page].hook.linked() && pages_[page].queue == queue;
  }
  void append(int queue, Pages page) {
    Queued& queued = pages_[page];
    if (queued.hook.linked()) queues_[at(queued.queue)].erase(queued);
    queued.queue = queue;
    queues_[at(queue)].push_back(queued);
  }
  Pages take_oldest(int queue) {
    return static_cast<Pages>(queues_[at(queue)].pop_front() - pages_.data());
  }

 private:
  static std::size_t at(int queue) { return static_cast<std::size_t>(queue); }
  std::vector<Queue> queues_;
  std::vector<Queued> pages_;
};

class Lru : public ReplacementPolicy {
 public:
  Lru(std::size_t frames, Pages pages) : frames_(frames), queues_(1, pages) {}

  bool touch(Pages page) override {
    const bool hit = queues_.holds(0, page);
    if (!hit || moves_on_hit()) queues_.append(0, page);
    if (queues_.size(0) > frames_) queues_.take_oldest(0);
    return hit;
  }

 protected:
  [[nodiscard]] virtual bool moves_on_hit() const { return true; }

 private:
  const std::size_t frames_;
  Queues queues_;
};

class Fifo final : public Lru {
 public:
  using Lru::Lru;

 protected:
  [[nodiscard]] bool moves_on_hit() const override { return false; }
};

class Clock final : public ReplacementPolicy {
 public:
  Clock(std::size_t frames, Pages pages)
      : frames_(frames), queues_(1, pages), referenced_(pages, false) {}

  bool touch(Pages page) override {
    const bool hit = queues_.holds(0, page);
    referenced_[page] = hit;
    if (hit) return true;
    while (queues_.size(0) == frames_) {
      const Pages passed = queues_.take_oldest(0);
      if (!referenced_[passed]) break;
      referenced_[passed] = false;
      queues_.append(0, passed);
    }
    queues_.append(0, page);
    return false;
  }

 private:
  const std::size_t frames_;
  Queues queues_;
  std::vector<bool> referenced_;
};

// The full version, with the sizes that its authors recommend.
class TwoQueues final : public ReplacementPolicy {
 public:
  TwoQueues(std::size_t frames, Pages pages)
      : frames_(frames), most_in_(frames / 4), most_out_(frames / 2), queues_(3, pages) {}

  bool touch(Pages page) override {
    if (queues_.holds(kIn, page)) return true;
    const bool hit = queues_.holds(kHot, page);
    const bool comes_again = queues_.holds(kOut, page);
    if (!hit) make_room();
    queues_.append(hit || comes_again ? kHot : kIn, page);
    return hit;
  }

 private:
  enum Name : int { kIn, kOut, kHot };

  void make_room() {
    if (queues_.size(kIn) + queues_.size(kHot) < frames_) return;
    if (queues_.size(kIn) <= most_in_ && queues_.size(kHot) != 0) {
      queues_.take_oldest(kHot);
      return;
    }
    queues_.append(kOut, queues_.take_oldest(kIn));
    if (queues_.size(kOut) > most_out_) queues_.take_oldest(kOut);
  }

  const std::size_t frames_;
  const std::size_t most_in_;
  const std::size_t most_out_;
  Queues queues_;
};

class SegmentedFifo final : public ReplacementPolicy {
 public:
  SegmentedFifo(std::size_t frames, Pages pages, std::size_t share)
      : frames_(frames), standby_(frames / share), queues_(2, pages) {}

  bool touch(Pages page) override {
    if (queues_.holds(kActive, page)) return true;
    const bool rescued = queues_.holds(kStandby, page);
    queues_.append(kActive, page);
    if (queues_.size(kActive) > frames_ - standby_) {
      queues_.append(kStandby, queues_.take_oldest(kActive));
    }
    if (queues_.size(kStandby) > standby_) queues_.take_oldest(kStandby);
    return rescued;
  }

 private:
  enum Name : int { kActive, kStandby };
  const std::size_t frames_;
  const std::size_t standby_;
  Queues queues_;
};

class Optimum final : public ReplacementPolicy {
 public:
  Optimum(std::size_t frames, Pages pages, const References& references)
      : frames_(frames), next_use_(references.size()), due_(pages, kNever) {
    for (std::size_t i = references.size(); i-- > 0;) {
      next_use_[i] = std::exchange(due_[references[i]], i);
    }
    std::ranges::fill(due_, kNever);
  }

  bool touch(Pages page) override {
    const bool hit = by_due_.erase({due_[page], page}) != 0;
    due_[page] = next_use_[now_++];
    if (!hit && by_due_.size() == frames_) by_due_.erase(std::prev(by_due_.end()));
    by_due_.insert({due_[page], page});
    return hit;
  }

 private:
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  const std::size_t frames_;
  std::vector<std::size_t> next_use_;  // after each reference, of the same page
  std::vector<std::size_t> due_;       // of each page
  std::set<std::pair<std::size_t, Pages>> by_due_;
  std::size_t now_ = 0;
};

template <class Policy, auto... kMore>
std::unique_ptr<ReplacementPolicy> make(std::size_t frames, Pages pages, const References&) {
  return std::make_unique<Policy>(frames, pages, kMore...);
}

std::unique_ptr<ReplacementPolicy> make_optimum(std::size_t frames, Pages pages,
                                                const References& references) {
  return std::make_unique<Optimum>(frames, pages, references);
}

}  // namespace

const std::vector<NamedPolicy>& replacement_policies() {
  static const std::vector<NamedPolicy> policies{
      {"fifo", make<Fifo>},
      {"clock", make<Clock>},
      {"lru", make<Lru>},
      {"2q", make<TwoQueues>},
      {"sfifo_16", make<SegmentedFifo, std::size_t{16}>},
      {"sfifo_8", make<SegmentedFifo, std::size_t{8}>},
      {"sfifo_4", make<SegmentedFifo, std::size_t{4}>},
      {"sfifo_2", make<SegmentedFifo, std::size_t{2}>},
      {"opt", make_optimum},
  };
  return policies;
}

}  // namespace revenant::bench
