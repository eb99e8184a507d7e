#include "tests/store/data_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"

namespace revenant::store {

DataFile::DataFile(const std::filesystem::path& store)
    : file_(::open((store / "data.mdb").c_str(), O_RDWR | O_CLOEXEC)) {
  REVENANT_CHECK(file_.valid(), "%s", std::strerror(errno));
  for (std::uint64_t page = 0; page < 2; ++page) {
    const auto meta = read<LmdbMeta>(page * kLmdbPageSize + kLmdbHeaderSize);
    if (meta.transaction > newest_.transaction) newest_ = meta;
  }
}

void DataFile::read_bytes(std::uint64_t at, void* target, std::size_t size) const {
  const ssize_t got = ::pread(file_.get(), target, size, static_cast<off_t>(at));
  REVENANT_CHECK(got == static_cast<ssize_t>(size), "reading: %s", std::strerror(errno));
}

void DataFile::write_bytes(std::uint64_t at, const void* source, std::size_t size) const {
  const ssize_t put = ::pwrite(file_.get(), source, size, static_cast<off_t>(at));
  REVENANT_CHECK(put == static_cast<ssize_t>(size), "writing: %s", std::strerror(errno));
}

StructureVerdict DataFile::check(StructureExtent extent) const {
  return check_lmdb_structure(file_.get(), newest_.transaction, extent);
}

std::string DataFile::contents() const {
  std::string all(static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_END)), '\0');
  read_bytes(0, all.data(), all.size());
  return all;
}

std::uint64_t DataFile::oldest_free_list() const {
  std::uint64_t page = newest_.free_list.root;
  for (unsigned levels = newest_.free_list.depth;; --levels) {
    const std::uint64_t start = page * kLmdbPageSize;
    const std::uint64_t at = start + read<std::uint16_t>(start + kLmdbHeaderSize);
    const auto node = read<LmdbNodeHeader>(at);
    if (levels > 1) {
      page = node.child();
      continue;
    }
    const std::uint64_t value = at + kLmdbNodeHeaderSize + node.key_size;
    if ((node.flags & kLmdbValueOutside) == 0) return value;
    return read<std::uint64_t>(value) * kLmdbPageSize + kLmdbHeaderSize;
  }
}

void DataFile::free_an_image_in_use() const {
  const std::uint64_t list = oldest_free_list();
  const auto count = read<std::uint64_t>(list);
  const auto entry = [&](std::uint64_t i) { return list + i * sizeof(std::uint64_t); };
  const std::vector<bool> used = check(StructureExtent::kTrees).used;
  const std::vector<bool> spine = check(StructureExtent::kSpine).used;
  for (std::uint64_t i = count; i > 0; --i) {
    // They fall.
    const std::uint64_t end = i == 1 ? used.size() : read<std::uint64_t>(entry(i - 1));
    std::uint64_t page = i == count ? 2 : read<std::uint64_t>(entry(i + 1)) + 1;
    for (; page < std::min<std::uint64_t>(end, used.size()); ++page) {
      if (used[page] && !spine[page]) return write(entry(i), page);
    }
  }
  REVENANT_CHECK(false, "no image lies between the free pages");
}

}  // namespace revenant::store
