// Marks a thread as being in the store: a fault there is not the program's, but data.mdb's, which
// is read as memory: cut short, unreadable, or with a structure that LMDB follows astray.
//
// Threads: any, in signal handlers too.
#pragma once

namespace revenant::store {

class StoreCall {
 public:
  StoreCall() { ++depth; }
  ~StoreCall() { --depth; }
  StoreCall(const StoreCall&) = delete;
  StoreCall& operator=(const StoreCall&) = delete;

  // Whether the calling thread is in one.
  [[nodiscard]] static bool here() { return depth > 0; }

 private:
  static inline thread_local int depth = 0;
};

}  // namespace revenant::store
