// Files of the host that the space shows (map_file), and whether they are still what they were.
//
//   persistent   MappedFile: path, stamp, pages                      (runtime_state.h)
//   volatile     View: the file, mapped where the kernel likes it, at the first touch in a process
//   a fault      ticket{number of the view, page in the file} --> find() --> the kernel copies the
//                page from the view into the space
//
// I1  A mapping never ends, and its pages, path and stamp (length, modification time) never change.
//     It costs one ticket, made again at each start.
// I2  A page is copied only while the file of that path has the stamp: each fault looks.
// I3  Between two mappings lies a page, at least, that is never given out.
// I4  The pages of files are clean and in no snapshot: nothing writes them, and none is ever looked
//     for in the store.
//
// A file that was changed is refused when a page of it is needed, not at the start: a program that
// no longer reads it, or maps it again in a function of on_restart, goes on.
//
// Threads and locks: find() and describe_loss() from any, in the fault handler, without a lock;
// map() by green threads, under kScheduler where it touches what they share. Errors: of map(), one
// sentence with the file, the cause and the way out; kIoFailed, kNoSpace.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/result.h"
#include "runtime/host/report_text.h"
#include "runtime/threads/runtime_state.h"
#include "vm/host_file_source.h"
#include "vm/memory_manager.h"

namespace revenant::runtime {

class MappedFiles final : public vm::HostFileSource {
 public:
  explicit MappedFiles(vm::MemoryManager& memory) : memory_(memory) {}

  // Once the space is open: adds the segment.
  [[nodiscard]] base::Status open();
  // Once the world is there: makes the tickets of what was mapped in earlier processes.
  void attach(const MappedFile* newest);

  // The view of `path`, made unless there is one.
  [[nodiscard]] base::Result<std::span<const std::byte>> map(const std::filesystem::path& path);

  const std::byte* find(std::uint64_t first, base::PageCount count) noexcept override;
  // Which file is not what it was at `address`, how, and the way out: the end of a sentence.
  void describe_loss(std::uintptr_t address, ReportText& text) const;

 private:
  static constexpr unsigned kPageBits = 32;  // of a reference: the page in the file
  // Each takes 64 KiB of addresses, at least.
  static constexpr std::uint64_t kMostViews = std::uint64_t{1} << 20;

  // A mapping, as this process knows it; in volatile memory, for its life.
  struct View {
    std::string path;
    base::PageRun pages;
    FileStamp stamp;
    std::atomic<const std::byte*> mapped{nullptr};
    View* next = nullptr;
  };

  [[nodiscard]] static base::Result<View*> open_view(const std::string& path);
  static void drop(View* view);
  // Where the file lies in this process; null, with errno, if it is not the one with the stamp.
  [[nodiscard]] static const std::byte* map_here(const View& view) noexcept;
  [[nodiscard]] static const MappedFile* find_same(const View& view);
  [[nodiscard]] base::Status place(View& view);
  // Gives `view`, whose pages are known, a number and its ticket.
  void enter(View& view);
  [[nodiscard]] View& view_of(std::uint64_t reference) const {
    return *views_[reference >> kPageBits].load(std::memory_order_acquire);
  }

  vm::MemoryManager& memory_;
  vm::TicketOwner owner_;
  vm::ReservedMemory table_;
  std::atomic<View*>* views_ = nullptr;  // kMostViews of them
  std::uint64_t count_ = 0;
  View* newest_ = nullptr;  // the list of all, for a leak checker does not know the table
};

}  // namespace revenant::runtime
