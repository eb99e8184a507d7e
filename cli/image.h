// Follows persistent pointers in a snapshot's image, which may be hostile.
//
// The store vouches for the bytes of a page, not for what the program had in it: a pointer may lead
// anywhere, a length may be anything, a list may have no end.
//
// M1  Nothing is read outside the space; an address there that has no image reads as zeros.
// M2  No object is believed at an address that is not aligned for it.
// M3  No text is longer than its caller's limit.
// M4  A walk visits a node once: who walks asks a Visited first, and it has a limit.
//
// One thread. Errors: kStoreDamaged names the revision, what was read and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>

#include "base/result.h"
#include "store/snapshot_view.h"

namespace revenant::cli {

// Where an image's bytes come from.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual base::Status read(std::uintptr_t address, void* target, std::size_t size) const = 0;
  // How sentences call it: "revision 12".
  [[nodiscard]] virtual std::string name() const = 0;
};

class SnapshotImage final : public ImageSource {
 public:
  explicit SnapshotImage(const store::SnapshotView& view) : view_(view) {}
  base::Status read(std::uintptr_t address, void* target, std::size_t size) const override;
  [[nodiscard]] std::string name() const override;

 private:
  const store::SnapshotView& view_;
};

// The bytes of a T, held without running its constructors or destructor: T may hold pointers into
// the image and atomics.
template <class T>
class Held {
  static_assert(std::is_standard_layout_v<T>);

 public:
  T& operator*() { return *reinterpret_cast<T*>(bytes_); }
  T* operator->() { return &**this; }
  const T& operator*() const { return *reinterpret_cast<const T*>(bytes_); }
  const T* operator->() const { return &**this; }
  std::byte* bytes() { return bytes_; }

 private:
  alignas(T) std::byte bytes_[sizeof(T)]{};
};

class ImageReader {
 public:
  explicit ImageReader(const ImageSource& source) : source_(source) {}

  // The object of which `pointer` is the address in the program. `what` names it in sentences.
  template <class T>
  [[nodiscard]] base::Result<Held<T>> object(const T* pointer, std::string_view what) const {
    return object_at<T>(reinterpret_cast<std::uintptr_t>(pointer), what);
  }
  template <class T>
  [[nodiscard]] base::Result<Held<T>> object_at(std::uintptr_t address,
                                                std::string_view what) const {
    Held<T> held;
    if (address % alignof(T) != 0) return misaligned(address, what);  // M2
    REVENANT_TRY(bytes(address, held.bytes(), sizeof(T), what));
    return held;
  }

  [[nodiscard]] base::Result<std::string> text(std::uintptr_t address, std::uint64_t size,
                                               std::uint64_t limit, std::string_view what) const;

  // "WHAT in revision N ...: CAUSE".
  [[nodiscard]] base::Error damaged(std::uintptr_t address, std::string_view what,
                                    std::string_view cause) const;

 private:
  [[nodiscard]] base::Status bytes(std::uintptr_t address, void* target, std::size_t size,
                                   std::string_view what) const;
  [[nodiscard]] base::Error misaligned(std::uintptr_t address, std::string_view what) const;

  const ImageSource& source_;
};

// The nodes a walk has been to. M4
class Visited {
 public:
  explicit Visited(std::size_t limit) : limit_(limit) {}
  // False at a node seen before, and once the limit is reached.
  bool enter(std::uintptr_t address) {
    return seen_.size() < limit_ && seen_.insert(address).second;
  }
  [[nodiscard]] std::size_t count() const { return seen_.size(); }

 private:
  const std::size_t limit_;
  std::unordered_set<std::uintptr_t> seen_;
};

}  // namespace revenant::cli
