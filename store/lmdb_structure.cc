#include "store/lmdb_structure.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "store/format.h"
#include "store/lmdb_layout.h"

namespace revenant::store {
namespace {

enum class Kind : std::uint8_t { kFreeList, kMain, kCatalog, kRecords };

// A key, and what one compares less than all others or greater than all.
using Key = std::optional<std::vector<std::byte>>;

std::uint64_t to_integer(std::span<const std::byte> key) {
  std::uint64_t value = 0;
  std::memcpy(&value, key.data(), sizeof value);
  return value;
}

// How much there is; below 0 as ::pread, with errno.
ssize_t read_at(int file, std::uint64_t at, std::span<std::byte> target) {
  std::size_t done = 0;
  while (done < target.size()) {
    const ssize_t got =
        ::pread(file, target.data() + done, target.size() - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return got;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

struct Node {
  LmdbNodeHeader header;
  std::span<const std::byte> key;
  std::span<const std::byte> value;  // of a leaf; a page number if it lies outside
};

class StructureChecker {
 public:
  StructureChecker(int file, const LmdbMeta& meta, StructureExtent extent)
      : file_(file), meta_(meta), extent_(extent), reached_(meta.last_page + 1) {}

  std::optional<std::string> run();
  // The errno of a read that failed: what run() found is then neither well nor damaged.
  [[nodiscard]] int failed_read() const { return failed_read_; }
  std::vector<bool> take_used();

 private:
  struct Counted {
    std::uint64_t branches = 0;
    std::uint64_t leaves = 0;
    std::uint64_t value_pages = 0;
    std::uint64_t entries = 0;
  };
  // What is known of the page that is looked at.
  struct Place {
    std::uint64_t page;
    unsigned levels;  // below it
    const Key* low;
    const Key* high;
  };

  bool check_tree(const LmdbTree& tree, Kind kind);
  bool check_page(const Place& place);
  bool check_children(const Place& place, const LmdbPage& page, std::size_t count);
  bool check_leaf(const LmdbPage& page, std::size_t count);
  bool check_value(const Node& node);
  bool check_outside(std::uint64_t first, std::uint32_t size);
  bool check_free_pages(const Node& node);
  bool check_named_tree(const Node& node);
  bool check_nodes(const Place& place, const LmdbPage& page, std::size_t count, bool leaf);
  bool tiles(const LmdbPage& page, std::size_t count, bool leaf);
  bool check_order(const Place& place, const LmdbPage& page, std::size_t count, bool leaf);

  [[nodiscard]] Node node_at(const LmdbPage& page, std::size_t index, bool leaf) const;
  [[nodiscard]] bool less(std::span<const std::byte> a, std::span<const std::byte> b) const;
  bool reach(std::uint64_t page);
  bool read(std::uint64_t page, std::span<std::byte> target);
  bool fail(std::uint64_t page, std::string_view what);

  const int file_;
  const LmdbMeta meta_;
  const StructureExtent extent_;
  std::vector<bool> reached_;
  std::optional<std::string> finding_;
  int failed_read_ = 0;
  Kind kind_ = Kind::kMain;
  bool integer_keys_ = false;
  Counted counted_;
  std::uint64_t at_ = 0;  // the page whose values are looked at
  std::vector<std::uint64_t> free_;
  std::vector<LmdbTree> named_;
  std::vector<std::string> names_;
  std::array<std::uint16_t, kLmdbPageSize / 2> sizes_{};  // of nodes, by their offset
};

bool StructureChecker::fail(std::uint64_t page, std::string_view what) {
  if (!finding_)
    finding_ = "page " + std::to_string(page) + " of its data.mdb " + std::string(what);
  return false;
}

bool StructureChecker::reach(std::uint64_t page) {
  if (page < 2 || page > meta_.last_page) return fail(page, "is referred to, and there is none");
  if (reached_[page]) return fail(page, "is referred to twice");  // I1, I4
  reached_[page] = true;
  return true;
}

bool StructureChecker::read(std::uint64_t page, std::span<std::byte> target) {
  const ssize_t got = read_at(file_, page * kLmdbPageSize, target);
  if (got < 0) failed_read_ = errno;
  if (got < 0) return false;
  return got == static_cast<ssize_t>(target.size()) || fail(page, "lies beyond its end");
}

bool StructureChecker::less(std::span<const std::byte> a, std::span<const std::byte> b) const {
  if (integer_keys_) return to_integer(a) < to_integer(b);
  return std::ranges::lexicographical_compare(a, b);
}

Node StructureChecker::node_at(const LmdbPage& page, std::size_t index, bool leaf) const {
  const auto offset = load_at<std::uint16_t>(page, kLmdbHeaderSize + 2 * index);
  Node node{.header = load_at<LmdbNodeHeader>(page, offset)};
  const std::span<const std::byte> rest = std::span(page).subspan(offset + kLmdbNodeHeaderSize);
  node.key = rest.first(node.header.key_size);
  if (!leaf) return node;
  const bool outside = (node.header.flags & kLmdbValueOutside) != 0;
  node.value = rest.subspan(node.header.key_size,
                            outside ? sizeof(std::uint64_t) : node.header.value_size());
  return node;
}

// I2: every offset is that of a node, and the nodes are all there is above `upper`.
bool StructureChecker::tiles(const LmdbPage& page, std::size_t count, bool leaf) {
  const auto header = load_at<LmdbPageHeader>(page, 0);
  std::size_t found = 0;
  bool well = true;
  for (std::size_t i = 0; i < count && well; ++i) {
    const auto offset = load_at<std::uint16_t>(page, kLmdbHeaderSize + 2 * i);
    well = offset >= header.upper && offset % 2 == 0 &&
           offset <= kLmdbPageSize - kLmdbNodeHeaderSize && sizes_[offset / 2] == 0;
    if (!well) break;
    const auto node = load_at<LmdbNodeHeader>(page, offset);
    const bool outside = leaf && (node.flags & kLmdbValueOutside) != 0;
    const std::uint64_t value = !leaf ? 0 : outside ? sizeof(std::uint64_t) : node.value_size();
    const std::uint64_t size = (kLmdbNodeHeaderSize + node.key_size + value + 1) / 2 * 2;
    well = offset + size <= kLmdbPageSize;
    if (well) sizes_[offset / 2] = static_cast<std::uint16_t>(size);
  }
  std::size_t at = header.upper;
  while (well && at < kLmdbPageSize && sizes_[at / 2] != 0) {
    at += sizes_[at / 2];
    ++found;
  }
  sizes_.fill(0);
  return well && at == kLmdbPageSize && found == count;
}

bool StructureChecker::check_order(const Place& place, const LmdbPage& page, std::size_t count,
                                   bool leaf) {
  std::span<const std::byte> before;
  for (std::size_t i = 0; i < count; ++i) {
    const Node node = node_at(page, i, leaf);
    if (!leaf && i == 0) continue;  // the first child takes all that is less than the second's key
    const bool sized = integer_keys_ ? node.key.size() == sizeof(std::uint64_t) : !node.key.empty();
    if (!sized) return fail(place.page, "has a key of the wrong size");
    const bool first = before.data() == nullptr;
    const bool rises =
        first ? !place.low->has_value() || !less(node.key, **place.low) : less(before, node.key);
    if (!rises) return fail(place.page, "has a key that is out of order");
    before = node.key;
  }
  const bool below =
      before.data() == nullptr || !place.high->has_value() || less(before, **place.high);
  return below || fail(place.page, "has a key that belongs to the next page");
}

bool StructureChecker::check_nodes(const Place& place, const LmdbPage& page, std::size_t count,
                                   bool leaf) {
  if (!tiles(page, count, leaf)) return fail(place.page, "has nodes that do not fit it");
  return check_order(place, page, count, leaf);
}

bool StructureChecker::check_page(const Place& place) {
  if (!reach(place.page)) return false;
  const bool leaf = place.levels == 0;
  ++(leaf ? counted_.leaves : counted_.branches);
  at_ = place.page;
  const bool spine = kind_ == Kind::kRecords && extent_ == StructureExtent::kSpine;
  if (leaf && spine && place.high->has_value()) return true;
  const auto page = std::make_unique<LmdbPage>();
  if (!read(place.page, *page)) return false;
  const auto header = load_at<LmdbPageHeader>(*page, 0);
  if (header.number != place.page) return fail(place.page, "bears another number");
  if (header.flags != (leaf ? kLmdbLeaf : kLmdbBranch)) {
    return fail(place.page, "is of another kind than its place in the tree says");
  }
  const bool bounded = header.lower >= kLmdbHeaderSize && header.lower % 2 == 0 &&
                       header.lower <= header.upper && header.upper <= kLmdbPageSize;
  if (!bounded) return fail(place.page, "has bounds that are none");
  const std::size_t count = (header.lower - kLmdbHeaderSize) / 2;
  if (count < (leaf ? 1u : 2u)) return fail(place.page, "has too few nodes");
  if (!check_nodes(place, *page, count, leaf)) return false;
  return leaf ? check_leaf(*page, count) : check_children(place, *page, count);
}

bool StructureChecker::check_children(const Place& place, const LmdbPage& page, std::size_t count) {
  Key low = *place.low;
  for (std::size_t i = 0; i < count; ++i) {
    Key high = *place.high;
    if (i + 1 < count) {
      const auto key = node_at(page, i + 1, false).key;
      high.emplace(key.begin(), key.end());
    }
    const std::uint64_t child = node_at(page, i, false).header.child();
    if (!check_page({child, place.levels - 1, &low, &high})) return false;
    low = std::move(high);
  }
  return true;
}

bool StructureChecker::check_leaf(const LmdbPage& page, std::size_t count) {
  counted_.entries += count;
  for (std::size_t i = 0; i < count; ++i) {
    if (!check_value(node_at(page, i, true))) return false;
  }
  return true;
}

bool StructureChecker::check_value(const Node& node) {
  const std::uint16_t flags = node.header.flags;
  if (kind_ == Kind::kMain) return check_named_tree(node);
  if ((flags & ~kLmdbValueOutside) != 0) return fail(at_, "leads to a value of an unknown kind");
  if (flags == 0) return kind_ != Kind::kFreeList || check_free_pages(node);
  const std::uint64_t first = to_integer(node.value);
  if (!check_outside(first, node.header.value_size())) return false;
  if (kind_ != Kind::kFreeList) return true;
  std::vector<std::byte> value(kLmdbHeaderSize + node.header.value_size());
  if (!read(first, value)) return false;
  Node whole = node;
  whole.value = std::span(value).subspan(kLmdbHeaderSize);
  return check_free_pages(whole);
}

bool StructureChecker::check_outside(std::uint64_t first, std::uint32_t size) {
  const std::uint64_t pages = (kLmdbHeaderSize - 1 + size) / kLmdbPageSize + 1;
  for (std::uint64_t i = 0; i < pages; ++i) {
    if (!reach(first + i)) return false;
  }
  counted_.value_pages += pages;
  if (kind_ == Kind::kRecords && extent_ != StructureExtent::kPages) return true;
  LmdbPageHeader header;
  if (!read(first, std::as_writable_bytes(std::span(&header, 1)))) return false;
  const bool as_said =
      header.number == first && header.flags == kLmdbValue && header.pages() == pages;
  return as_said || fail(first, "is not the value that is referred to");
}

// I4. A list is its length and as many page numbers, falling.
bool StructureChecker::check_free_pages(const Node& node) {
  const auto number = [&](std::uint64_t index) {
    return to_integer(node.value.subspan(index * sizeof(std::uint64_t)));
  };
  const std::uint64_t room = node.value.size() / sizeof(std::uint64_t);
  if (room == 0 || number(0) >= room) return fail(at_, "leads to a free list of a wrong length");
  for (std::uint64_t i = 1; i <= number(0); ++i) {
    if (i > 1 && number(i) >= number(i - 1)) return fail(number(i), "is free out of order");
    if (!reach(number(i))) return false;
    free_.push_back(number(i));
  }
  return true;
}

bool StructureChecker::check_named_tree(const Node& node) {
  LmdbTree tree;
  if (node.header.flags != kLmdbTreeRecord || node.value.size() != sizeof tree) {
    return fail(at_, "leads to a table that is none");
  }
  std::memcpy(&tree, node.value.data(), sizeof tree);
  named_.push_back(tree);
  names_.emplace_back(reinterpret_cast<const char*>(node.key.data()), node.key.size());
  return true;
}

bool StructureChecker::check_tree(const LmdbTree& tree, Kind kind) {
  kind_ = kind;
  counted_ = {};
  integer_keys_ = kind == Kind::kFreeList || kind == Kind::kRecords;
  if (tree.flags != (integer_keys_ ? kLmdbIntegerKeys : 0)) {
    return fail(tree.root, "is the root of a table with keys of another kind");
  }
  if (tree.depth > kLmdbDeepest || (tree.depth == 0) != (tree.root == kLmdbNoPage)) {
    return fail(tree.root, "is the root of a table of impossible depth");
  }
  const Key none;
  if (tree.depth != 0 && !check_page({tree.root, tree.depth - 1u, &none, &none})) return false;
  const bool pages = counted_.branches == tree.branch_pages && counted_.leaves == tree.leaf_pages;
  const bool skipped = kind == Kind::kRecords && extent_ == StructureExtent::kSpine;
  const bool rest =
      skipped || (counted_.value_pages == tree.value_pages && counted_.entries == tree.entries);
  return (pages && rest) || fail(tree.root, "is the root of a table that counts wrongly");  // I3
}

std::optional<std::string> StructureChecker::run() {
  if (!check_tree(meta_.main, Kind::kMain)) return finding_;
  // The free list last, when all that is in use has been reached. I4
  for (std::size_t i = 0; i < named_.size(); ++i) {
    const Kind kind = names_[i] == "catalog" ? Kind::kCatalog : Kind::kRecords;
    if (!check_tree(named_[i], kind)) return finding_;
  }
  (void)check_tree(meta_.free_list, Kind::kFreeList);
  return finding_;
}

std::vector<bool> StructureChecker::take_used() {
  for (const std::uint64_t page : free_) reached_[page] = false;
  reached_[0] = reached_[1] = true;  // the metas
  return std::move(reached_);
}

}  // namespace

StructureVerdict check_lmdb_structure(int file, std::uint64_t transaction, StructureExtent extent) {
  LmdbMeta meta;
  const std::uint64_t at = transaction % 2 * kLmdbPageSize + kLmdbHeaderSize;
  const ssize_t got = read_at(file, at, std::as_writable_bytes(std::span(&meta, 1)));
  if (got < 0) return {.failed_read = errno};
  if (got != static_cast<ssize_t>(sizeof meta) || meta.transaction != transaction) return {};
  // The list of pages reached would be as long as a wrong number says.
  constexpr std::uint64_t kMostPages = (1ull << 40) / kLmdbPageSize;
  if (meta.last_page > kMostPages)
    return {true, "its newest meta page counts impossible pages", {}};
  StructureChecker checker(file, meta, extent);
  const auto finding = checker.run();
  if (checker.failed_read() != 0) return {.failed_read = checker.failed_read()};
  if (!finding) return {true, finding, checker.take_used()};
  // An owner may have written another commit's meta while this one was read.
  LmdbMeta again;
  const ssize_t got_again = read_at(file, at, std::as_writable_bytes(std::span(&again, 1)));
  if (got_again < 0) return {.failed_read = errno};
  const bool same = got_again == static_cast<ssize_t>(sizeof again) &&
                    std::memcmp(&again, &meta, sizeof meta) == 0;
  return same ? StructureVerdict{true, finding, {}} : StructureVerdict{};
}

}  // namespace revenant::store
