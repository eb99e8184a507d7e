#include "store/owner_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include <boost/interprocess/exceptions.hpp>

namespace revenant::store {
namespace {

// The process that holds the record lock, or 0.
pid_t holder_of(const FileDescriptor& file) {
  struct flock query {};
  query.l_type = F_WRLCK;
  query.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_GETLK, &query) != 0) return 0;
  return query.l_type == F_UNLCK ? 0 : query.l_pid;
}

// Whether that is still the file at `path`. I1
bool is_at(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat ours {};
  struct stat there {};
  return ::fstat(file.get(), &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
         ours.st_ino == there.st_ino;
}

base::Error in_use(const std::filesystem::path& name, pid_t holder) {
  const std::string by = holder > 0 ? " by process " + std::to_string(holder) : "";
  return {base::ErrorCode::kStoreInUse, "the store " + name.string() + " is in use" + by +
                                            "; stop that program, or name another store"};
}

}  // namespace

base::Result<OwnerLock> OwnerLock::take(const std::filesystem::path& directory,
                                        const std::filesystem::path& name) {
  const std::filesystem::path path = directory / "lock";
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return file_error(path, "creating", errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {  // I2
    if (errno == EWOULDBLOCK) return in_use(name, holder_of(file));
    return file_error(path, "locking", errno);
  }
  try {
    boost::interprocess::file_lock lock(path.c_str());
    if (!lock.try_lock()) return in_use(name, holder_of(file));
    if (!is_at(file, path)) return file_error(path, "locking", ENOENT);
    return OwnerLock(std::move(file), std::move(lock));
  } catch (const boost::interprocess::interprocess_exception& failed) {
    return file_error(path, "locking", failed.get_native_error());
  }
}

}  // namespace revenant::store
