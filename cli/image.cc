#include "cli/image.h"

#include "cli/print.h"
#include "vm/space.h"

namespace revenant::cli {

base::Status SnapshotImage::read(std::uintptr_t address, void* target, std::size_t size) const {
  return view_.read_bytes(address, target, size);
}

std::string SnapshotImage::name() const {
  return "revision " + std::to_string(view_.record().revision.value);
}

base::Result<std::string> ImageReader::text(std::uintptr_t address, std::uint64_t size,
                                            std::uint64_t limit, std::string_view what) const {
  if (size > limit) {  // M3
    return damaged(address, what, "its length is " + std::to_string(size));
  }
  std::string copy(size, '\0');
  if (size > 0) REVENANT_TRY(bytes(address, copy.data(), size, what));
  return copy;
}

base::Status ImageReader::bytes(std::uintptr_t address, void* target, std::size_t size,
                                std::string_view what) const {
  // Written so that no sum can wrap around. M1
  const bool inside = address >= vm::kSpaceBase && size <= vm::kSpaceSize &&
                      address - vm::kSpaceBase <= vm::kSpaceSize - size;
  if (!inside) return damaged(address, what, "that is outside the space");
  return source_.read(address, target, size);
}

base::Error ImageReader::misaligned(std::uintptr_t address, std::string_view what) const {
  return damaged(address, what, "no such object can start there");
}

base::Error ImageReader::damaged(std::uintptr_t address, std::string_view what,
                                 std::string_view cause) const {
  return {base::ErrorCode::kStoreDamaged,
          std::string(what) + " in " + source_.name() + " is said to be at " +
              hex_address(address) + ": " + std::string(cause) +
              "; the program overwrote its own records, try an earlier revision"};
}

}  // namespace revenant::cli
