// A store's data.mdb, looked at and changed by hand while nobody has it open.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "store/files.h"
#include "store/lmdb_layout.h"
#include "store/lmdb_structure.h"

namespace revenant::store {

class DataFile {
 public:
  explicit DataFile(const std::filesystem::path& store);

  template <class T>
  [[nodiscard]] T read(std::uint64_t at) const {
    T value{};
    read_bytes(at, &value, sizeof value);
    return value;
  }
  template <class T>
  void write(std::uint64_t at, const T& value) const {
    write_bytes(at, &value, sizeof value);
  }

  // The newest, as it was when the file was opened here.
  [[nodiscard]] const LmdbMeta& newest() const { return newest_; }
  [[nodiscard]] StructureVerdict check(StructureExtent extent) const;
  [[nodiscard]] std::string contents() const;

  // Makes the free list name an image that is in use, in the list that LMDB takes pages from first.
  // The list is still in order.
  void free_an_image_in_use() const;

 private:
  void read_bytes(std::uint64_t at, void* target, std::size_t size) const;
  void write_bytes(std::uint64_t at, const void* source, std::size_t size) const;
  // Where the oldest list of free pages lies.
  [[nodiscard]] std::uint64_t oldest_free_list() const;

  const FileDescriptor file_;
  LmdbMeta newest_;
};

}  // namespace revenant::store
