// Globals and static locals that live in the snapshot, in C++ and in C:
//
//   REVENANT_PERSISTENT int visits = 0;
//   static REVENANT_PERSISTENT std::vector<int> seen;
//
// They have their first value when a store is new, and begin anew with --upgrade. The first value
// is a constant (in C++ the compiler refuses a constructor that has to run; revenant_add_app's
// PERSIST_GLOBALS runs them), and lies in the executable's file: what is large belongs under
// root<T>(). Not for thread locals, nor for static members of class templates, where gcc ignores
// it.
#pragma once

#ifdef __cplusplus
#define REVENANT_PERSISTENT constinit __attribute__((section(".revenant_persistent")))
#else
#define REVENANT_PERSISTENT __attribute__((section(".revenant_persistent")))
#endif
