#include "store/owner_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include <boost/interprocess/exceptions.hpp>

#include "store/files.h"

namespace revenant::store {
namespace {

// The process that holds the lock, or 0. Only asked once the lock was refused: closing this
// descriptor drops no lock of ours.
pid_t holder_of(const std::filesystem::path& file) {
  const FileDescriptor descriptor(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  struct flock query {};
  query.l_type = F_WRLCK;
  query.l_whence = SEEK_SET;
  if (!descriptor.valid() || ::fcntl(descriptor.get(), F_GETLK, &query) != 0) return 0;
  return query.l_type == F_UNLCK ? 0 : query.l_pid;
}

// The number of the file at that path now, or 0.
ino_t file_number(const std::filesystem::path& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? status.st_ino : 0;
}

base::Error in_use(const std::filesystem::path& name, pid_t holder) {
  const std::string by = holder > 0 ? " by process " + std::to_string(holder) : "";
  return {base::ErrorCode::kStoreInUse, "the store " + name.string() + " is in use" + by +
                                            "; stop that program, or name another store"};
}

}  // namespace

base::Result<OwnerLock> OwnerLock::take(const std::filesystem::path& directory,
                                        const std::filesystem::path& name) {
  const std::filesystem::path file = directory / "lock";
  {
    // Made only where it is missing: closing a second descriptor of a held lock would drop it, and
    // a missing file holds none.
    const FileDescriptor made(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made.valid() && errno != EEXIST) return file_error(file, "creating", errno);
  }
  try {
    const ino_t before = file_number(file);
    boost::interprocess::file_lock lock(file.c_str());
    if (lock.try_lock()) {
      if (before == file_number(file)) return OwnerLock(std::move(lock));
      return file_error(file, "locking", ENOENT);  // I1
    }
  } catch (const boost::interprocess::interprocess_exception& failed) {
    return file_error(file, "locking", failed.get_native_error());
  }
  return in_use(name, holder_of(file));
}

}  // namespace revenant::store
