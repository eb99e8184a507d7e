// Memory of green threads, where it is not simply new and malloc.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "revenant/describe.h"
#include "revenant/error.h"
#include "revenant/persistent.h"

namespace revenant {

// While one exists in a green thread's frames, that thread allocates ordinary memory, which a
// restart does not bring back. Nests; outside green threads it changes nothing.
class volatile_scope {
 public:
  volatile_scope();
  ~volatile_scope();
  volatile_scope(const volatile_scope&) = delete;
  volatile_scope& operator=(const volatile_scope&) = delete;
};

// A read-only view of the host's file `path`, loaded as it is touched; the same for the same file.
//
// The view never ends, and its address is the same after every restart, when its pages are read
// from the file again: they are in no snapshot. So the file stays where it is, as it is: touching a
// page of the view that is not loaded ends the program when the file is gone, or has another length
// or modification time than when it was mapped. A file that has changed may be mapped again, which
// gives another view. Writing to a view ends the program.
// Throws error: io_failed, no_space (64 GiB of views are there), not_in_green_thread. Thread-safe.
[[nodiscard]] std::span<const std::byte> map_file(const std::filesystem::path& path);

namespace detail {

struct root_type {
  const type_description* description;
  void (*destroy)(void* object);
};

// The object under `name`, or null; throws error (wrong_type) when it is of another type.
void* find_root(std::string_view name, const root_type& type);
// Returns what stands under the name: `object`, or what another thread has put there meanwhile.
void* insert_root(std::string_view name, void* object, std::size_t size, const root_type& type);
bool erase_root(std::string_view name);
void require_green_thread(const char* what);

template <class T>
root_type root_type_of() {
  return {&describe<T>(), [](void* object) { delete static_cast<T*>(object); }};
}

}  // namespace detail

// The object of type T under `name`, or null when the name has none. Names may hold '/': a tree of
// directories. Throws error: wrong_type, not_in_green_thread; std::invalid_argument for what is no
// name. Thread-safe; the object's own synchronisation is the caller's.
template <class T>
T* find_root(std::string_view name) {
  return static_cast<T*>(detail::find_root(name, detail::root_type_of<T>()));
}

// The same, constructing it from `args` first when the name has none.
template <class T, class... A>
T& root(std::string_view name, A&&... args) {
  if (T* found = find_root<T>(name)) return *found;
  auto made = std::make_unique<T>(std::forward<A>(args)...);
  void* standing = detail::insert_root(name, made.get(), sizeof(T), detail::root_type_of<T>());
  if (standing == made.get()) (void)made.release();
  return *static_cast<T*>(standing);
}

// Destroys the object under `name`; false when there is none.
inline bool erase_root(std::string_view name) { return detail::erase_root(name); }

}  // namespace revenant
