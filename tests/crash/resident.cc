#include "tests/crash/resident.h"

#include <sys/stat.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "vm/space.h"

namespace revenant::crash {
namespace {

struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool of_a_file = false;
  std::uint64_t resident_bytes = 0;
};

bool in_space(const Mapping& mapping) {
  return !mapping.of_a_file && mapping.begin >= vm::kSpaceBase &&
         mapping.end <= vm::kSpaceBase + vm::kSpaceSize;
}

// The pool is as large as the space, of no file and without huge pages; the store's map is of one,
// and a table may be as large, but has them.
bool is_pool(const Mapping& mapping, const char* flags) {
  return mapping.end - mapping.begin == vm::kSpaceSize && !mapping.of_a_file &&
         std::strstr(flags, " nh") != nullptr;
}

// What the space takes where it is a file of memory: pages of that are in no mapping until they are
// touched.
std::uint64_t memory_file_bytes(const std::filesystem::path& descriptors) {
  std::error_code gone;  // descriptors may be closed meanwhile
  std::uint64_t sum = 0;
  for (const auto& descriptor : std::filesystem::directory_iterator(descriptors, gone)) {
    struct stat file {};
    if (std::filesystem::read_symlink(descriptor, gone) != "/memfd:revenant (deleted)") continue;
    if (::stat(descriptor.path().c_str(), &file) != 0) continue;
    sum += static_cast<std::uint64_t>(file.st_blocks) * 512;
  }
  return sum;
}

}  // namespace

std::uint64_t resident_bytes(std::istream& smaps) {
  std::uint64_t sum = 0;
  Mapping mapping;
  std::string line;
  while (std::getline(smaps, line)) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::uint64_t kilobytes = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) {
      mapping = {begin, end, line.find('/') != line.npos};
    } else if (std::sscanf(line.c_str(), "Rss: %" SCNu64 " kB", &kilobytes) == 1) {
      mapping.resident_bytes = kilobytes * 1024;
    } else if (line.starts_with("VmFlags:") &&
               (in_space(mapping) || is_pool(mapping, line.c_str()))) {
      sum += mapping.resident_bytes;
    }
  }
  return sum;
}

std::uint64_t resident_bytes(pid_t process) {
  const std::filesystem::path proc = "/proc/" + std::to_string(process);
  std::ifstream smaps(proc / "smaps");
  return resident_bytes(smaps) + memory_file_bytes(proc / "fd");
}

}  // namespace revenant::crash
