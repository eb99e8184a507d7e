#include "runtime/threads/specific_values.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "objects/heap.h"
#include "runtime/threads/green_thread.h"
#include "runtime/threads/runtime_state.h"
#include "runtime/threads/scheduler.h"
#include "runtime/threads/worker.h"

namespace revenant::runtime {
namespace {

constexpr std::uint32_t kFewest = 8;

// Begins anew with each process, as libc's own table does.
std::array<SpecificKey, kKeysOfAKind> libc_keys;

// Of the green thread that calls, while it keeps its worker.
Scheduler& scheduler() { return Worker::of_this_thread()->scheduler(); }
objects::Heap& heap() { return *objects::Heap::instance(); }

bool is_own(pthread_key_t key) { return key >= kFirstOwn; }

// The key, and the stamp that its values bear; no key if there is none.
struct KeyInUse {
  const SpecificKey* key = nullptr;
  std::uint64_t stamp = 0;
};

KeyInUse find(pthread_key_t number) {
  if (number >= kFirstOwn + kKeysOfAKind) return {};
  const SpecificKey& key =
      is_own(number) ? RuntimeState::at_home().keys[number - kFirstOwn] : libc_keys[number];
  if (!key.exists()) return {};
  if (is_own(number)) return {&key, key.stamp};
  return {&key, (scheduler().generation() << 32) + key.stamp};  // I1
}

std::uint32_t place_of(pthread_key_t number) {
  return is_own(number) ? 2 * (number - kFirstOwn) + 1 : 2 * number;
}

pthread_key_t key_at(std::uint32_t place) {
  return place % 2 != 0 ? kFirstOwn + place / 2 : place / 2;
}

// False when no memory is left.
bool grow(SpecificValues& values, std::uint32_t place) {
  const std::uint32_t count = std::max(kFewest, std::bit_ceil(place + 1));
  auto* grown = static_cast<SpecificValue*>(heap().allocate_zeroed(count * sizeof(SpecificValue)));
  if (grown == nullptr) return false;
  std::copy_n(values.values, values.count, grown);
  heap().free(values.values);
  values = {grown, count};
  return true;
}

// A destructor may wait, over a restart even, and set values of its own: nothing is kept over it.
bool destroy_values(GreenThread& self) {
  bool destroyed = false;
  for (std::uint32_t place = 0; place < self.specific.count; ++place) {
    SpecificValue& each = self.specific.values[place];
    void* value = std::exchange(each.value, nullptr);
    if (value == nullptr) continue;
    const KeyInUse found = find(key_at(place));
    if (found.stamp != each.stamp || found.key->destructor == nullptr) continue;
    found.key->destructor(value);
    destroyed = true;
  }
  return destroyed;
}

}  // namespace

int make_own_key(pthread_key_t& key, KeyDestructor destructor) {
  OwnKeys& keys = RuntimeState::at_home().keys;
  const base::LockGuard guard(scheduler().lock());
  auto* unused = std::ranges::find_if(keys, [](const SpecificKey& each) { return !each.exists(); });
  if (unused == keys.end()) return EAGAIN;
  unused->make(destructor);
  key = kFirstOwn + static_cast<pthread_key_t>(unused - keys.begin());
  return 0;
}

int delete_own_key(pthread_key_t key) {
  const base::LockGuard guard(scheduler().lock());
  if (!is_own(key) || find(key).key == nullptr) return EINVAL;
  RuntimeState::at_home().keys[key - kFirstOwn].remove();
  return 0;
}

void* specific_value(const GreenThread& self, pthread_key_t key) {
  const std::uint32_t place = place_of(key);
  if (place >= self.specific.count) return nullptr;
  const SpecificValue& held = self.specific.values[place];
  return held.value != nullptr && held.stamp == find(key).stamp ? held.value : nullptr;  // I2
}

int set_specific_value(GreenThread& self, pthread_key_t key, const void* value) {
  const KeyInUse found = find(key);
  if (found.key == nullptr) return EINVAL;
  const std::uint32_t place = place_of(key);
  if (place >= self.specific.count) {
    if (value == nullptr) return 0;
    if (!grow(self.specific, place)) return ENOMEM;
  }
  self.specific.values[place] = {found.stamp, const_cast<void*>(value)};
  return 0;
}

void libc_made_key(pthread_key_t key, KeyDestructor destructor) {
  if (key < kKeysOfAKind) libc_keys[key].make(destructor);
}

void libc_deletes_key(pthread_key_t key) {
  if (key < kKeysOfAKind && libc_keys[key].exists()) libc_keys[key].remove();
}

void end_specific_values(GreenThread& self) {
  // main's own never run, as those of a process's first thread do not.
  if (RuntimeState::at_home().end.finished) return;
  for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && destroy_values(self); ++round) {
  }
  heap().free(std::exchange(self.specific, {}).values);
}

}  // namespace revenant::runtime
