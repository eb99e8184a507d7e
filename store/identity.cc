#include "store/identity.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "store/files.h"
#include "store/format.h"

namespace revenant::store {
namespace {

std::filesystem::path identity_path(const std::filesystem::path& store) {
  return store / "identity";
}

std::span<const std::byte> sealed_part(const IdentityBytes& bytes) {
  return std::as_bytes(std::span(&bytes, 1)).first(offsetof(IdentityBytes, seal));
}

base::Error damaged(const std::filesystem::path& store, const std::string& cause) {
  return {base::ErrorCode::kStoreDamaged,
          "the store " + store.string() + " is damaged: " + cause + "; restore it from a copy"};
}

base::Error no_store(const std::filesystem::path& store) {
  std::error_code failed;
  if (!std::filesystem::exists(store, failed)) {
    return {base::ErrorCode::kNotFound, "there is no store at " + store.string() +
                                            "; start the program once, or name another one"};
  }
  return {base::ErrorCode::kNotAStore, store.string() +
                                           " is not a store: it has no identity file; name another "
                                           "directory, or one that does not exist yet"};
}

}  // namespace

base::Result<Identity> draw_identity(const std::string& program) {
  Identity identity{.program = program};
  const ssize_t got = ::getrandom(identity.id.data(), identity.id.size(), 0);
  if (got != static_cast<ssize_t>(identity.id.size())) {
    return file_error("the kernel's random numbers", "drawing a store id from", errno);
  }
  return identity;
}

base::Status write_identity(const std::filesystem::path& store, const Identity& identity) {
  IdentityBytes bytes;
  const std::size_t size = std::min(identity.program.size(), bytes.program.size());
  bytes.program_size = static_cast<std::uint32_t>(size);
  std::copy_n(identity.program.data(), size, bytes.program.data());
  bytes.id = identity.id;
  bytes.least_data_size = identity.least_data_size;
  bytes.generation = identity.generation;
  bytes.features = identity.ran_on.features;
  bytes.machine = identity.ran_on.machine;
  bytes.seal = hash_bytes(sealed_part(bytes));
  return write_atomically(identity_path(store), std::as_bytes(std::span(&bytes, 1)));
}

base::Result<Identity> read_identity(const std::filesystem::path& store) {
  IdentityBytes bytes;
  auto read = read_start(identity_path(store), std::as_writable_bytes(std::span(&bytes, 1)));
  if (!read.ok() && read.error().code == base::ErrorCode::kNotFound) return no_store(store);
  if (!read.ok()) return read.error();
  constexpr std::size_t kLeast = offsetof(IdentityBytes, program_size);
  if (*read < kLeast || bytes.magic != IdentityBytes{}.magic) {
    return damaged(store, "its identity file is not one");
  }
  if (bytes.format_version != kFormatVersion) {
    return base::Error{base::ErrorCode::kAnotherFormat,
                       "the store " + store.string() + " has format version " +
                           std::to_string(bytes.format_version) +
                           ", and this build reads version " + std::to_string(kFormatVersion) +
                           "; use the build that wrote it"};
  }
  if (*read != sizeof bytes || bytes.seal != hash_bytes(sealed_part(bytes)) ||
      bytes.program_size > bytes.program.size()) {
    return damaged(store, "its identity file does not match its checksum");
  }
  return Identity{.id = bytes.id,
                  .program = std::string(bytes.program.data(), bytes.program_size),
                  .least_data_size = bytes.least_data_size,
                  .generation = bytes.generation,
                  .ran_on = {bytes.machine, bytes.features}};
}

base::Status check_data_size(const std::filesystem::path& store, const Identity& identity) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(store / "data.mdb", failed);
  if (failed == std::errc::no_such_file_or_directory) {
    return damaged(store, "its data.mdb is missing");
  }
  if (failed) return file_error(store / "data.mdb", "looking at", failed.value());
  if (size < identity.least_data_size) {
    return damaged(store, "its data.mdb has " + std::to_string(size) + " bytes and once had " +
                              std::to_string(identity.least_data_size));
  }
  return {};
}

}  // namespace revenant::store
