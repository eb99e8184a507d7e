#include "store/owner_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <boost/interprocess/exceptions.hpp>

namespace revenant::store {
namespace {

// Who has the record lock. The kernel names no process that lives outside this one's pid namespace.
Ownership record_holder_of(const FileDescriptor& file) {
  struct flock query {};
  query.l_type = F_WRLCK;
  query.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_GETLK, &query) != 0 || query.l_type == F_UNLCK) return {};
  return {.owned = true, .process = std::max(query.l_pid, 0)};
}

pid_t holder_of(const FileDescriptor& file) { return record_holder_of(file).process; }

// Who has the flock, which remains where the record lock was lost, from a line such as
//   4: FLOCK  ADVISORY  WRITE 4711 08:01:1234567 0 EOF
// The device counts only where it has a major number: file systems without one may show programs
// another device than the kernel has.
Ownership flock_holder_of(const FileDescriptor& file) {
  struct stat locked {};
  if (::fstat(file.get(), &locked) != 0) return {};
  std::array<char, 32> device{};
  std::snprintf(device.data(), device.size(), "%02x:%02x", major(locked.st_dev),
                minor(locked.st_dev));
  const std::string inode = ":" + std::to_string(locked.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::string number, kind, strictness, access, place;
    pid_t process = 0;
    std::istringstream(line) >> number >> kind >> strictness >> access >> process >> place;
    if (kind != "FLOCK" || access != "WRITE" || !place.ends_with(inode)) continue;
    if (major(locked.st_dev) != 0 && place != device.data() + inode) continue;
    return {.owned = true, .process = std::max(process, 0)};
  }
  return {};
}

// Whether that is still the file at `path`. I1
bool is_at(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat ours {};
  struct stat there {};
  return ::fstat(file.get(), &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

base::Error in_use(const std::filesystem::path& name, pid_t holder) {
  const std::string by = holder > 0 ? " by process " + std::to_string(holder) : "";
  return {base::ErrorCode::kStoreInUse, "the store " + name.string() + " is in use" + by +
                                            "; stop that program, or name another store"};
}

base::Error no_locks(const std::filesystem::path& name, const std::string& cause) {
  return {base::ErrorCode::kUnsupportedHost,
          "the store " + name.string() + " cannot be locked: " + cause +
              ", so two programs could write to it at once; put it on a local disk"};
}

base::Error lock_error(const std::filesystem::path& path, const std::filesystem::path& name,
                       int system_error) {
  const bool no_such_thing =
      system_error == ENOLCK || system_error == EOPNOTSUPP || system_error == ENOSYS;
  if (!no_such_thing) return file_error(path, "locking", system_error);
  return no_locks(
      name, std::string("its file system has no locks (") + std::strerror(system_error) + ")");
}

int set_record_lock(const FileDescriptor& file, short type) {
  struct flock record {};
  record.l_type = type;
  record.l_whence = SEEK_SET;
  return ::fcntl(file.get(), F_OFD_SETLK, &record) == 0 ? 0 : errno;
}

// Whether locks of another opening of the file are refused while `locked` has them. I3
base::Status try_locks(const FileDescriptor& locked, const std::filesystem::path& path,
                       const std::filesystem::path& name) {
  static constexpr const char* kLie = "its file system gives one lock to two at once";
  if (const int failed = set_record_lock(locked, F_WRLCK); failed != 0) {
    return failed == EAGAIN || failed == EACCES ? in_use(name, holder_of(locked))
                                                : lock_error(path, name, failed);
  }
  const FileDescriptor second(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!second.valid()) return file_error(path, "opening", errno);
  if (::flock(second.get(), LOCK_EX | LOCK_NB) == 0) return no_locks(name, kLie);
  if (set_record_lock(second, F_WRLCK) == 0) return no_locks(name, kLie);
  (void)set_record_lock(locked, F_UNLCK);  // Boost's, of the process, would be refused beside it
  return {};
}

}  // namespace

base::Result<OwnerLock> OwnerLock::take(const std::filesystem::path& directory,
                                        const std::filesystem::path& name) {
  const std::filesystem::path path = directory / "lock";
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return file_error(path, "creating", errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {  // I2
    if (errno == EWOULDBLOCK) return in_use(name, holder_of(file));
    return lock_error(path, name, errno);
  }
  REVENANT_TRY(try_locks(file, path, name));  // I3
  try {
    boost::interprocess::file_lock lock(path.c_str());
    if (!lock.try_lock()) return in_use(name, holder_of(file));
    if (!is_at(file, path)) return file_error(path, "locking", ENOENT);
    return OwnerLock(std::move(file), std::move(lock));
  } catch (const boost::interprocess::interprocess_exception& failed) {
    return lock_error(path, name, failed.get_native_error());
  }
}

base::Result<Ownership> find_owner(const std::filesystem::path& directory) {
  for (const char* locked : {"lock", "data.mdb"}) {  // the first may have been removed
    const std::filesystem::path path = directory / locked;
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid() && errno == ENOENT) continue;
    if (!file.valid()) return file_error(path, "opening", errno);
    if (const Ownership holder = record_holder_of(file); holder.owned) return holder;
    if (const Ownership holder = flock_holder_of(file); holder.owned) return holder;
  }
  return Ownership{};
}

base::Status lock_data_file(int file, const std::filesystem::path& name) {
  if (::flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return {};
  return in_use(name, 0);
}

}  // namespace revenant::store
