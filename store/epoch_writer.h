// Writes one snapshot: takes changed pages, and makes them exist all at once or not at all.
//
//   begin_epoch -> put put drop put [flush] put ... -> commit   the snapshot exists
//                                                   \-> abort   nothing happened
//
//   LMDB transactions:  [images][images] ... [last images, nodes, dead list, record, head]
//                        intermediate ones: nothing refers       only this one makes the
//                        to their images yet                     snapshot exist
//
// I1  Images and nodes get keys at or beyond the committed high-water marks: until the record is
//     committed nothing refers to them. What an epoch without commit left there, in this process or
//     an earlier one, is swept before the next first put.
// I2  The outcome is (the parent's pages - all drops) + what was parked before it began + the puts
//     that no later drop met. Of two puts of a page the later one counts, under the same key.
// I3  After a failure of any call nothing of the epoch exists; the head is what it was; abort(),
//     and the same pages can be put again in a later epoch.
// I4  No LMDB transaction is open while no epoch is.
//
// Memory: at most kFlushPages dirty LMDB pages (64 MiB), and 160 bytes for each page put.
//
// Threads: one OS thread at a time, from the first put to the end the same one (LMDB binds a write
// transaction to its thread). May not touch persistent memory: `page` is a volatile copy.
//
// Errors: kNoSpace, kIoFailed, kStoreDamaged (the parent's tree could not be read).
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "base/units.h"
#include "store/snapshot_record.h"

namespace revenant::store {

class StoreState;

class EpochWriter {
 public:
  // Intermediate commits happen by themselves at this many images; far below the 131,072 dirty
  // pages at which LMDB 0.9.24 would spill.
  static constexpr std::size_t kFlushPages = 16'384;

  explicit EpochWriter(StoreState& state);
  ~EpochWriter();
  EpochWriter(const EpochWriter&) = delete;
  EpochWriter& operator=(const EpochWriter&) = delete;

  // The revision this epoch will have, and the birth of its images.
  [[nodiscard]] base::Epoch epoch() const;
  [[nodiscard]] bool open() const;

  // Adds the page's new contents; `hash` is hash_page(page). Whether it differs from the last image
  // is the caller's to know.
  base::Status put(base::PageNumber page, const std::byte* contents, const ContentHash& hash);

  // Removes whatever images the run has, those put in this epoch included.
  base::Status drop(const base::PageRun& run);

  // Commits what was put so far, as images that mean nothing yet.
  base::Status flush();

  // Makes the snapshot exist, durably, as the head of the running branch. Ends the epoch either
  // way.
  base::Result<base::Epoch> commit(const SnapshotInfo& info);

  // Forgets the epoch. Its flushed images are removed later (I1).
  void abort();

 private:
  friend class Store;
  void begin(base::Epoch at_least);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace revenant::store
