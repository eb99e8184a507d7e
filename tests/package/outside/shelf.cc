#include "shelf.h"

#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

struct Shelf {
  Shelf() : items{1, 2, 3} { ++built; }
  // Were it run at the end of a process, the next would find nothing.
  ~Shelf() { items.clear(); }
  std::vector<int> items;
  static int built;
};

int Shelf::built = 0;
Shelf later;
__attribute__((init_priority(200))) Shelf earlier;
std::map<std::string, long> index_of_names{{"initial", 1}};
long big[8 * 1024 * 1024];  // 64 MiB, hardly touched
const char* names[] = {"zero", "one"};
int data = 7;
const int* const constant[] = {&data, nullptr};

__attribute__((constructor)) void construct() { ++data; }

}  // namespace

int put_on_shelf(int value) {
  static std::vector<int> once(3, value);
  later.items.push_back(value);
  earlier.items.push_back(2 * value);
  big[8191L * value] = value;
  index_of_names[names[value % 2] + std::to_string(value)] = value;
  names[value % 2] = "other";
  once.push_back(value);
  return static_cast<int>(once.size());
}

long shelf_sum() {
  long sum = 1000L * Shelf::built + *constant[0] + data;
  for (const int item : later.items) sum += item;
  for (const int item : earlier.items) sum += item;
  for (const auto& [name, value] : index_of_names) sum += value + static_cast<long>(name.size());
  for (std::size_t i = 0; i < 20; ++i) sum += big[8191 * i];
  // The streams are made ready in each process, though constructors here run in the first alone.
  return sum + shared_count() + (std::cout.rdbuf() != nullptr ? 1 : 0);
}
