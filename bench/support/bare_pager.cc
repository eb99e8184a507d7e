#include "bench/support/bare_pager.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "base/check.h"
#include "bench/support/paged_memory.h"

namespace revenant::bench {
namespace {

constexpr base::PageCount kOnePage{1};

BarePager* the_pager = nullptr;
alignas(base::kPageSize) std::byte zeros[base::kPageSize];
alignas(base::kPageSize) std::byte image[base::kPageSize];

base::PageRun map(std::uint64_t pages) {
  void* const memory = ::mmap(nullptr, pages * base::kPageSize, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REVENANT_CHECK(memory != MAP_FAILED);
  ::madvise(memory, pages * base::kPageSize, MADV_NOHUGEPAGE);
  return {base::PageNumber::of(memory), {pages}};
}

}  // namespace

BarePager::BarePager(std::uint64_t pages, int file, std::uint64_t resident)
    : pages_(map(pages)), beside_(map(pages)), file_(file), queue_(resident) {
  fill_page(pages_.first, image);
  REVENANT_CHECK(uffd_.open(vm::Uffd::Writes::kAsync).ok());
  REVENANT_CHECK(uffd_.register_run(pages_).ok() && uffd_.register_run(beside_).ok());
  the_pager = this;
  struct sigaction action {};
  action.sa_sigaction = &BarePager::on_fault;
  action.sa_flags = SA_SIGINFO;
  REVENANT_CHECK(::sigaction(SIGBUS, &action, nullptr) == 0);
}

void BarePager::on_fault(int, siginfo_t* info, void*) {
  the_pager->fill(base::PageNumber::of(info->si_addr));
}

void BarePager::fill(base::PageNumber page) noexcept {
  const base::PageRun one{page, kOnePage};
  switch (contents_) {
    case Contents::kZeros:
      (void)uffd_.fill(one, zeros, vm::FillMode::kDirty);
      return;
    case Contents::kMemory:
      (void)uffd_.fill(one, image, vm::FillMode::kClean);
      return;
    case Contents::kMoved:
      (void)uffd_.move({beside_.first + (page - pages_.first), kOnePage}, page);
      return;
    case Contents::kFile:
      break;
  }
  alignas(base::kPageSize) std::byte frame[base::kPageSize];
  const auto at = static_cast<off_t>((page - pages_.first).bytes());
  if (::pread(file_, frame, sizeof frame, at) != static_cast<ssize_t>(sizeof frame)) std::abort();
  evict_oldest_for(page);
  (void)uffd_.fill(one, frame, vm::FillMode::kClean);
}

void BarePager::evict_oldest_for(base::PageNumber page) noexcept {
  std::uint64_t& oldest = queue_[next_.fetch_add(1, std::memory_order_relaxed) % queue_.size()];
  const base::PageNumber gone{std::exchange(oldest, page.value)};
  if (gone.value != 0) ::madvise(gone.pointer(), base::kPageSize, MADV_DONTNEED);
}

void BarePager::take_out() {
  if (contents_ == Contents::kMoved) {
    for (std::uint64_t i = 0; i < pages_.count.value; i += 16) {
      const base::PageCount at{i};
      (void)uffd_.move({pages_.first + at, {16}}, beside_.first + at);
    }
  } else {
    ::madvise(pages_.first.pointer(), pages_.count.bytes(), MADV_DONTNEED);
  }
}

}  // namespace revenant::bench
