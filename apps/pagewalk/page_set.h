// The pages that are walked, and apart from them the version that was last written to each.
//
//   pages     [ stamp ][ stamp ][ stamp ] ...            4 KiB each
//   versions  [ 7 ][ 1 ][ 0 ] ...                        4 bytes each
//   blocks    [ mutex, sum over 1024 versions ] ...
//
// W1  Under its block's mutex a page holds the stamp of its version, so a page that lost a write,
//     whatever it holds instead, is found by the next visit.
// W2  A block's sum is that of its versions, each mixed with its place: a version that was lost is
//     found when a walk next enters the block.
// W3  The sum of all versions is the number of writes.
//
// Threads: any; a visit holds its block's mutex, one at a time. What is wrong is thrown as Wrong.
#pragma once

#include <revenant/revenant.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "stamp.h"

namespace pagewalk {

struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Damage { kLost, kMoved, kTorn, kMiscounted };

class PageSet {
 public:
  explicit PageSet(std::size_t pages);  // two or more
  PageSet(const PageSet&) = delete;
  PageSet& operator=(const PageSet&) = delete;

  [[nodiscard]] std::size_t size() const { return versions_.size(); }

  // Checks a page.
  void read(std::size_t index);
  // Checks a page and writes the next version to it. A snapshot may come in the middle.
  void write(std::size_t index);
  // Checks the versions around a page.
  void check_versions(std::size_t index);
  // Checks everything; `writes` is how many there were. Nobody else may write meanwhile.
  void check_all(std::uint64_t writes);

  // Breaks the first page, or its version, to see that it is found.
  void damage(Damage how);

 private:
  static constexpr std::size_t kBlockPages = 1024;  // a page of versions

  struct Block {
    revenant::mutex mutex;
    std::uint64_t sum = 0;
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  Block& block_of(std::size_t index) { return blocks_[index / kBlockPages]; }
  void check(std::size_t index) const;
  [[nodiscard]] std::uint64_t sum_of_block(std::size_t block) const;

  std::unique_ptr<void, Free> memory_;
  std::span<Page> pages_;
  std::vector<Version> versions_;
  std::vector<Block> blocks_;
};

}  // namespace pagewalk
