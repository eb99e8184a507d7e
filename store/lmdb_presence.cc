#include "store/lmdb_presence.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace revenant::store {
namespace {

bool set_lock(const FileDescriptor& file, int command, short type, off_t byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return ::fcntl(file.get(), command, &lock) == 0;
}

}  // namespace

base::Result<LmdbPresence> LmdbPresence::take(const std::filesystem::path& store) {
  const std::filesystem::path path = store / "lock.mdb";
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) return file_error(path, "opening", errno);
  const pid_t self = ::getpid();
  const bool locked = set_lock(file, F_OFD_SETLK, F_RDLCK, 0) &&
                      set_lock(file, F_SETLK, F_UNLCK, self) &&
                      set_lock(file, F_OFD_SETLK, F_WRLCK, self);  // I2
  if (!locked) return file_error(path, "locking", errno);
  return LmdbPresence(std::move(file));
}

}  // namespace revenant::store
