// Whether the data.mdb that is open is still the one that a later start would find.
//
// Only what is seen counts: a path that cannot be looked up any more says nothing. So it is after
// the program has given up its privileges, or has made another directory its root, or while a disk
// or a server does not answer. No descriptor of a directory is held for that: in a program that has
// changed its root it would be a way out.
//
// Threads: any.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>

namespace revenant::store {

class DataPlace {
 public:
  enum class Finding : std::uint8_t { kThere, kGone, kAnother };

  // While the path means what a later start will mean by it.
  DataPlace();

  // Of the file open as `file`, under its absolute path.
  [[nodiscard]] Finding look(const std::filesystem::path& data, int file) const;

 private:
  struct stat root_ {};
};

}  // namespace revenant::store
