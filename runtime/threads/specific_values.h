// Thread-specific data: pthread's keys, and the values that each green thread has of its own.
//
//   key 0 ..           libc's: made by another OS thread, or kept where no snapshot sees it. It
//                      begins anew with each process, and so do its values
//   key kFirstOwn ..   the world's: made by a green thread and kept in persistent memory. Number,
//                      destructor and values outlive the process
//
// I1  A key's stamp is odd exactly while the key exists, and changes whenever it is made or
//     deleted; those of libc's keys differ between processes, too.
// I2  A value with another stamp than its key's is none: it was another key's of the same number.
//
// Threads and locks: a green thread reads and sets its own values. Who makes, uses and deletes one
// key sees to the order, as POSIX wants it; kScheduler keeps those apart who make the world's keys.
#pragma once

#include <limits.h>
#include <pthread.h>

#include <array>
#include <cstdint>

namespace revenant::runtime {

struct GreenThread;

using KeyDestructor = void (*)(void*);

struct SpecificKey {
  std::uint64_t stamp = 0;
  KeyDestructor destructor = nullptr;

  [[nodiscard]] bool exists() const { return stamp % 2 != 0; }
  void make(KeyDestructor wanted) {
    stamp += exists() ? 2 : 1;
    destructor = wanted;
  }
  void remove() { ++stamp; }
};

inline constexpr pthread_key_t kKeysOfAKind = PTHREAD_KEYS_MAX;
inline constexpr pthread_key_t kFirstOwn = kKeysOfAKind;

// Lies in the world.
using OwnKeys = std::array<SpecificKey, kKeysOfAKind>;

struct SpecificValue {
  std::uint64_t stamp = 0;
  void* value = nullptr;
};

// A green thread's, in the heap: keys of both kinds by turns, as far as it has needed them.
struct SpecificValues {
  SpecificValue* values = nullptr;
  std::uint32_t count = 0;
};

// As pthread's functions of that name, for the calling green thread `self`; errors are errno's.
int make_own_key(pthread_key_t& key, KeyDestructor destructor);
int delete_own_key(pthread_key_t key);
void* specific_value(const GreenThread& self, pthread_key_t key);
int set_specific_value(GreenThread& self, pthread_key_t key, const void* value);

// What becomes of libc's keys, whoever asked for it.
void libc_made_key(pthread_key_t key, KeyDestructor destructor);
void libc_deletes_key(pthread_key_t key);

// At the end of the green thread, on its stack: runs the destructors of its values, as often as
// they set new ones and POSIX allows.
void end_specific_values(GreenThread& self);

}  // namespace revenant::runtime
