#include "store/data_place.h"

#include <cerrno>

namespace revenant::store {
namespace {

bool same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

DataPlace::DataPlace() { (void)::stat("/", &root_); }

DataPlace::Finding DataPlace::look(const std::filesystem::path& data, int file) const {
  struct stat root {};
  struct stat ours {};
  struct stat there {};
  if (::stat("/", &root) != 0 || !same(root, root_)) return Finding::kThere;
  if (::fstat(file, &ours) != 0) return Finding::kThere;
  if (::stat(data.c_str(), &there) == 0) {
    return same(there, ours) ? Finding::kThere : Finding::kAnother;
  }
  return errno == ENOENT || errno == ENOTDIR ? Finding::kGone : Finding::kThere;
}

}  // namespace revenant::store
