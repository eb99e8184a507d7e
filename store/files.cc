#include "store/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

namespace revenant::store {
namespace {

base::ErrorCode code_of(int system_error) {
  if (is_no_space(system_error)) return base::ErrorCode::kNoSpace;
  const bool missing = system_error == ENOENT || system_error == ENOTDIR;
  return missing ? base::ErrorCode::kNotFound : base::ErrorCode::kIoFailed;
}

const char* way_out(int system_error) {
  switch (code_of(system_error)) {
    case base::ErrorCode::kNoSpace:
      return way_out_of_no_space(system_error);
    case base::ErrorCode::kNotFound:
      return "check the path";
    default:
      return "check the path, its permissions and its disk";
  }
}

base::Status write_all(int descriptor, std::span<const std::byte> contents,
                       const std::filesystem::path& path) {
  while (!contents.empty()) {
    const ssize_t written = ::write(descriptor, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(path, "writing", errno);
    contents = contents.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (valid()) ::close(number_);
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

bool is_no_space(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

const char* way_out_of_no_space(int system_error) {
  switch (system_error) {
    case EDQUOT:
      return "free some space, or raise the quota";
    case EFBIG:
      return "raise the limit of file sizes (ulimit -f)";
    default:
      return "free some space on its disk";
  }
}

base::Error file_error(const std::filesystem::path& path, const char* what, int system_error) {
  return {code_of(system_error), std::string(what) + " " + path.string() + " failed: " +
                                     std::strerror(system_error) + "; " + way_out(system_error)};
}

base::Result<std::size_t> read_start(const std::filesystem::path& path,
                                     std::span<std::byte> target) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return file_error(path, "opening", errno);
  std::size_t size = 0;
  while (size < target.size()) {
    const ssize_t got = ::read(file.get(), target.data() + size, target.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(path, "reading", errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

base::Status write_atomically(const std::filesystem::path& path,
                              std::span<const std::byte> contents) {
  const std::filesystem::path temporary = path.string() + ".new";
  {
    const FileDescriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.valid()) return file_error(temporary, "creating", errno);
    REVENANT_TRY(write_all(file.get(), contents, temporary));
    if (::fsync(file.get()) != 0) return file_error(temporary, "syncing", errno);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return file_error(path, "replacing", errno);
  }
  return sync_path(path.parent_path());
}

base::Status make_directories(const std::filesystem::path& path) {
  std::error_code unknown;
  if (path == path.root_path() || std::filesystem::exists(path, unknown)) return {};
  REVENANT_TRY(make_directories(path.parent_path()));
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
    return file_error(path, "creating the directory", errno);
  }
  return sync_path(path.parent_path());
}

base::Status sync_path(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return file_error(path, "opening", errno);
  if (::fsync(file.get()) != 0) return file_error(path, "syncing", errno);
  return {};
}

}  // namespace revenant::store
