// Marks a thread as being in the store: a fault there is not the program's, but data.mdb's, which
// is read as memory: cut short, unreadable, or with a structure that LMDB follows astray. An abort
// there is data.mdb's only if LMDB says so: our own code aborts, too, and for reasons of its own.
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

  // LMDB's own checks have failed, and it aborts next.
  static void note_failed_assertion() { assertion_failed = true; }
  // Whether the calling thread aborts for that.
  [[nodiscard]] static bool aborts() { return here() && assertion_failed; }

 private:
  static inline thread_local int depth = 0;
  static inline thread_local bool assertion_failed = false;
};

}  // namespace revenant::store
