// A library whose state is in globals of every kind.
#pragma once

#include <cstddef>

// A static local of an inline function: one object, whoever calls it.
inline int& shared_count() {
  static int count = [] { return 100; }();
  return count;
}

int put_on_shelf(int value);
// Sums up what every kind of global holds.
long shelf_sum();
extern "C" int* common_table(void);
