// Images that were written ahead of the snapshot that will contain them.
//
//   park, park, ... finish   -->  fetch (by number)  -->  the next commit takes all over
//                                  '-- forget: its page was given back
//
// An image has a key beyond the committed high-water mark and nothing in the tree refers to it: to
// a later start it is an orphan, and is swept (orphan_sweep.h). In this process the table here
// refers to it. The commit that makes a snapshot exist gives each parked page its place in the
// tree, unless the epoch has put a newer image of it.
//
// I1  A page has at most one parked image; one that is parked again supersedes the first.
// I2  A number's slot changes under its sequence only: whoever reads it knows whether it held.
// I3  A slot is freed before its image is erased, and after the tree refers to it. Only where an
//     epoch has put the same content itself its commit erases the image while the slot is held.
// I4  Keys rise: each is beyond all that were parked and all that are committed.
// I5  No LMDB transaction is open outside of park() .. finish().
//
// Memory: 64 bytes a parked page, and an entry of a hash map.
//
// Threads: read() from any, in the fault handler too; the rest by the writer, between epochs unless
// said otherwise. Errors: kNoSpace, kIoFailed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/function_ref.h"
#include "base/result.h"
#include "base/units.h"
#include "store/format.h"
#include "store/lmdb_transaction.h"

namespace revenant::store {

class StoreState;

using ParkedNumber = std::uint32_t;  // from 1 on

class ParkedImages {
 public:
  explicit ParkedImages(StoreState& state) : state_(state) {}
  ~ParkedImages();
  ParkedImages(const ParkedImages&) = delete;
  ParkedImages& operator=(const ParkedImages&) = delete;

  base::Result<ParkedNumber> park(base::PageNumber page, const std::byte* contents,
                                  const ContentHash& hash);
  // Makes what was parked durable, and fit to be fetched. Where it fails, or a park() does, what
  // was parked since the last one is forgotten, and superseded images count again.
  base::Status finish();
  // Lets go of the images of `run` that are not wanted.
  using IsWanted = base::FunctionRef<bool(base::PageNumber, ParkedNumber, const ContentHash&)>;
  void forget(const base::PageRun& run, IsWanted is_wanted);

  // Where the image is; nothing if the number is nobody's. The same number again says whether that
  // still held when the image was read.
  struct Reading {
    std::uint64_t sequence = 0;
    ImageReference image;
  };
  [[nodiscard]] std::optional<Reading> read(ParkedNumber number) const noexcept;
  [[nodiscard]] bool still_holds(ParkedNumber number, const Reading& reading) const noexcept;

  [[nodiscard]] bool empty() const { return of_page_.empty(); }
  // visit(page, image) for each; also within an epoch.
  using Visit = base::FunctionRef<void(base::PageNumber, const ImageReference&)>;
  void for_each(Visit visit) const;
  // Images that nobody refers to any more: the transaction that commits an epoch erases them.
  [[nodiscard]] const std::vector<std::uint64_t>& garbage() const { return garbage_; }
  // The tree refers to what is wanted, and the rest is erased.
  void taken_over();

  // The least key that an image may get; I4.
  [[nodiscard]] std::uint64_t next_key() const;
  // The keys of parked images and of garbage, sorted: no orphans of this process's.
  [[nodiscard]] std::vector<std::uint64_t> keys() const;

 private:
  static constexpr std::size_t kWords = sizeof(ImageReference) / 8;
  struct Slot {
    std::atomic<std::uint64_t> sequence{0};  // odd while it changes
    std::array<std::atomic<std::uint64_t>, kWords> words{};
  };
  static constexpr std::size_t kSlotsPerPiece = 4096;
  static constexpr std::size_t kPieces = std::size_t{1} << 16;

  struct Fresh {
    base::PageNumber page;
    ParkedNumber number = 0;
    std::optional<ParkedNumber> superseded;
  };

  [[nodiscard]] Slot* slot(ParkedNumber number) const noexcept;
  [[nodiscard]] ImageReference image_in(const Slot& slot) const noexcept;
  void write(ParkedNumber number, const ImageReference& image);
  base::Result<ParkedNumber> take_number();
  void free_number(ParkedNumber number);
  void undo();

  StoreState& state_;
  std::unique_ptr<std::array<std::atomic<Slot*>, kPieces>> pieces_;
  ParkedNumber numbers_ = 0;  // ever taken
  std::vector<ParkedNumber> free_;
  boost::unordered_flat_map<std::uint64_t, ParkedNumber> of_page_;
  std::vector<std::uint64_t> garbage_;
  std::uint64_t next_key_ = 0;
  std::optional<WriteTransaction> writing_;
  std::vector<Fresh> fresh_;  // since the last finish()
};

}  // namespace revenant::store
