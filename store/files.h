// The few file operations whose order and durability the store depends on.
//
// Each either has happened when it returns, durably where the name says so, or is an error that
// names the file. Threads: any. Errors: kIoFailed, kNoSpace, kNotFound.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace revenant::store {

// A file descriptor that closes itself.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

// Whether an errno says that a disk, a quota or a limit of file sizes is used up.
[[nodiscard]] bool is_no_space(int system_error);
// What to do about such a one.
[[nodiscard]] const char* way_out_of_no_space(int system_error);

// The error for `system_error` (an errno), met while doing `what` to `path`.
[[nodiscard]] base::Error file_error(const std::filesystem::path& path, const char* what,
                                     int system_error);

// Reads from the start of a file; returns how much there was, at most target.size().
base::Result<std::size_t> read_start(const std::filesystem::path& path,
                                     std::span<std::byte> target);

// Replaces or creates `path` by a synced temporary file beside it, and syncs the directory.
base::Status write_atomically(const std::filesystem::path& path,
                              std::span<const std::byte> contents);

// Makes those of `path` and its parents that are missing, durably.
base::Status make_directories(const std::filesystem::path& path);

// Syncs a file or a directory.
base::Status sync_path(const std::filesystem::path& path);

}  // namespace revenant::store
