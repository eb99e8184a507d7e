// The library's globals, and the program's own.
#include <set>
#include <string>

#include "life.h"
#include "shelf.h"

static std::set<std::string> own{"first"};
static int steps;

void work() {
  for (int i = 1; i <= 5; ++i) {
    const int put = put_on_shelf(i);
    own.insert("step " + std::to_string(i));
    common_table()[i] = ++steps;
    shared_count() += i;
    step("%d: %d put, sum %ld, %zu own, %d", steps, put, shelf_sum(), own.size(),
         common_table()[1] + common_table()[i]);
  }
}
