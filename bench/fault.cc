// What one fault costs, by what it is answered with, beside the bare operations of the kernel.
//
//   zero     a new page is written to                raw: the signal, and UFFDIO_COPY of zeros
//   stored   a page is read from the store           raw: the same of an image in memory
//   rescue   a page comes back from the frame pool   raw: the signal, and UFFDIO_MOVE
//   seq_zero, seq_stored: pages in order, which are read ahead; per page
//
// Pages of the first three are touched far apart, so that none is read ahead. The sides live in
// processes of their own and take turns.
#include <chrono>
#include <memory>
#include <thread>

#include "bench/support/bare_pager.h"
#include "bench/support/forked_side.h"
#include "bench/support/paged_memory.h"
#include "bench/support/report.h"

namespace revenant::bench {
namespace {

using Clock = std::chrono::steady_clock;

enum What : int { kZero, kStored, kRescue, kSeqZero, kSeqStored, kRescue2 };

struct Size {
  std::uint64_t pages = 0;  // a power of two
  int slices = 0;
};

double us_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// The i-th page to touch: an odd stride visits each of 2^n pages once, and no two beside each
// other.
base::PageNumber far_apart(base::PageRun run, std::uint64_t i) {
  return run.first + base::PageCount{i * 1'031 % run.count.value};
}

void write_to(base::PageNumber page) { *reinterpret_cast<volatile char*>(page.pointer()) = 1; }
void read_from(base::PageNumber page) { (void)*reinterpret_cast<volatile char*>(page.pointer()); }

template <class Touch>
double touch_all(base::PageRun run, std::uint64_t first, std::uint64_t end, Touch touch) {
  const auto start = Clock::now();
  for (std::uint64_t i = first; i < end; ++i) touch(run, i);
  return us_since(start) / static_cast<double>(end - first);
}

void write_far(base::PageRun run, std::uint64_t i) { write_to(far_apart(run, i)); }
void read_far(base::PageRun run, std::uint64_t i) { read_from(far_apart(run, i)); }
void write_in_order(base::PageRun run, std::uint64_t i) {
  write_to(run.first + base::PageCount{i});
}
void read_in_order(base::PageRun run, std::uint64_t i) {
  read_from(run.first + base::PageCount{i});
}

class OurSide {
 public:
  OurSide(const std::filesystem::path& directory, Size size)
      : paged_(directory, size.pages, 2 * size.pages), zeros_(PagedMemory::zeros(size.pages)) {}

  double measure(int what) {
    const base::PageRun stored = paged_.stored();
    const std::uint64_t pages = stored.count.value;
    double us = 0;
    switch (what) {
      case kZero:
        us = touch_all(zeros_, 0, pages, write_far);
        break;
      case kSeqZero:
        us = touch_all(zeros_, 0, pages, write_in_order);
        break;
      case kStored:
        us = touch_all(stored, 0, pages, read_far);
        break;
      case kSeqStored:
        us = touch_all(stored, 0, pages, read_in_order);
        break;
      default:
        us = rescue(what == kRescue2);
    }
    paged_.memory().release(what == kZero || what == kSeqZero ? zeros_ : stored);
    return us;
  }

 private:
  // By one thread, or by two of which each takes half: per page of either's.
  double rescue(bool by_two) {
    const base::PageRun run = paged_.stored();
    const std::uint64_t pages = run.count.value;
    touch_all(run, 0, pages, read_in_order);
    paged_.take_out(run);
    if (!by_two) return touch_all(run, 0, pages, read_far);
    const auto start = Clock::now();
    std::thread other([&] {
      const auto adopted = paged_.memory().adopt_thread();
      touch_all(run, 0, pages / 2, read_far);
    });
    touch_all(run, pages / 2, pages, read_far);
    other.join();
    return us_since(start) / static_cast<double>(pages);
  }

  PagedMemory paged_;
  base::PageRun zeros_;
};

class BareSide {
 public:
  explicit BareSide(Size size) : pager_(size.pages, -1, 1) {}

  double measure(int what) {
    using Contents = BarePager::Contents;
    const base::PageRun run = pager_.pages();
    if (what == kRescue) {
      pager_.set_contents(Contents::kMemory);
      touch_all(run, 0, run.count.value, read_far);
      pager_.set_contents(Contents::kMoved);
      pager_.take_out();
    } else {
      pager_.set_contents(what == kZero ? Contents::kZeros : Contents::kMemory);
    }
    const double us = what == kZero ? touch_all(run, 0, run.count.value, write_far)
                                    : touch_all(run, 0, run.count.value, read_far);
    pager_.set_contents(Contents::kMemory);
    pager_.take_out();
    return us;
  }

 private:
  BarePager pager_;
};

void compare(const Report& report, ForkedSide& ours, ForkedSide& bare, int slices) {
  struct Case {
    std::string_view name;
    What what;
  };
  for (const Case one : {Case{"zero", kZero}, {"stored", kStored}, {"rescue", kRescue}}) {
    if (!report.wants(one.name)) continue;
    std::vector<double> us, ratios, speedups;
    for (int slice = 0; slice < slices; ++slice) {
      us.push_back(ours.measure(one.what));
      ratios.push_back(us.back() / bare.measure(one.what));
      if (one.what == kRescue) speedups.push_back(us.back() / ours.measure(kRescue2));
    }
    report.add({one.name, "fault", median(us), "us", "raw", median(ratios)});
    if (!speedups.empty()) report.add({one.name, "speedup_2t", median(speedups), "times"});
  }
  for (const Case one : {Case{"seq_zero", kSeqZero}, {"seq_stored", kSeqStored}}) {
    if (!report.wants(one.name)) continue;
    std::vector<double> us;
    for (int slice = 0; slice < slices; ++slice) us.push_back(ours.measure(one.what));
    report.add({one.name, "page", median(us), "us"});
  }
}

void run(const Report& report) {
  const Size size = report.smoke() ? Size{256, 1} : Size{16'384, 15};
  const ScratchDirectory scratch;
  ForkedSide ours([&]() -> ForkedSide::Measure {
    auto side = std::make_shared<OurSide>(scratch.path(), size);
    return [side](int what) { return side->measure(what); };
  });
  ForkedSide bare([&]() -> ForkedSide::Measure {
    auto side = std::make_shared<BareSide>(size);
    return [side](int what) { return side->measure(what); };
  });
  compare(report, ours, bare, size.slices);
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  const revenant::bench::Report report("fault", argc, argv);
  revenant::bench::run(report);
  return 0;
}
