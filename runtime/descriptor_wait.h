// Waiting until a descriptor is ready, without keeping an OS thread for it.
//
// A green thread that would block asks for readiness only, and makes its call itself once the
// descriptor is ready. What it hands over fits into the context's pointer, so that nothing of this
// process stays in its frames while it is parked: after a restart it simply asks again, and finds
// its descriptor gone.
//
// One OS thread polls for all. The waits are its own, volatile list.
//
// Threads: wait_for_descriptor_of on workers' own stacks. Locks: kMailbox.
#pragma once

#include <cstdint>

#include "runtime/threads/green_thread.h"

namespace revenant::runtime {

struct DescriptorWait {
  static constexpr std::uint32_t kForEver = UINT32_MAX;

  std::uint32_t descriptor = 0;  // below 2^24
  std::uint8_t events = 0;       // of poll(2): POLLIN, POLLPRI, POLLOUT
  std::uint32_t timeout_ms = kForEver;

  [[nodiscard]] void* pack() const {
    return reinterpret_cast<void*>(std::uint64_t{timeout_ms} << 32 |
                                   std::uint64_t{descriptor} << 8 | events);
  }
  static DescriptorWait unpack(void* packed) {
    const auto bits = reinterpret_cast<std::uint64_t>(packed);
    return {.descriptor = static_cast<std::uint32_t>(bits >> 8) & 0xffffff,
            .events = static_cast<std::uint8_t>(bits),
            .timeout_ms = static_cast<std::uint32_t>(bits >> 32)};
  }
};

// For Scheduler::call_offloaded, with a packed DescriptorWait. Called itself, it polls.
void wait_for_descriptor(void* packed);

// Has `thread`'s call finished once the descriptor is ready, closed, or the time is over.
void wait_for_descriptor_of(GreenThread& thread, const DescriptorWait& wait);

}  // namespace revenant::runtime
