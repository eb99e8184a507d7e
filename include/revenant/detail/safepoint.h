// Where a snapshot may stop a green thread.
#pragma once

#include <atomic>

namespace revenant {

namespace detail {
// Set while a snapshot waits for the workers to stop.
extern std::atomic<bool> stop_requested;
void stop_here();
}  // namespace detail

// Lets a pending snapshot stop this green thread here. Every blocking call does; a long loop
// without one should call this now and then. One load when nothing is pending; nothing outside
// green threads.
inline void safepoint() {
  if (detail::stop_requested.load(std::memory_order_relaxed)) [[unlikely]]
    detail::stop_here();
}

}  // namespace revenant
