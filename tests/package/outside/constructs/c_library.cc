// C's library, whose memory is the program's: from C and from C++.
#include <fmt/format.h>
#include <search.h>

#include <cstdio>
#include <cstring>

#include "c_part.h"
#include "constructs.h"

namespace constructs {
namespace {

std::string c_code() {
  node* const tree = count_words("to be, or not to be, that is the question", moment);
  moment();
  char* const words = words_of(tree, moment);
  const std::string text = words;
  const int bees = count_of(tree, "be");
  std::free(words);
  free_tree(tree);
  REQUIRE(bees == 2);
  return fmt::format("{} {}", text, sum_of_longs(moment, 4, 1L, 20L, 300L, 4000L));
}

// A stream of stdio's into memory lives where malloc puts it: it goes on, unlike those of files.
std::string memory_streams() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const out = ::open_memstream(&text, &size);
  for (int i = 0; i < 400; ++i) {
    std::fprintf(out, "%d ", i);
    if (i % 80 == 0) moment();
  }
  std::fclose(out);
  REQUIRE(size == 1490 && std::string(text).ends_with(" 398 399 "));
  std::string lines = "first line\nsecond line\nthird";
  std::FILE* const in = ::fmemopen(lines.data(), lines.size(), "r");
  char* line = nullptr;
  std::size_t room = 0;
  std::string all;
  while (::getline(&line, &room, in) >= 0) {
    moment();
    all.append(line, std::strcspn(line, "\n")).append("|");
  }
  std::fclose(in);
  std::free(line);
  std::free(text);
  return all;
}

int compare_words(const void* a, const void* b) {
  moment();
  return std::strcmp(static_cast<const char*>(a), static_cast<const char*>(b));
}

std::string trees_and_tables() {
  void* tree = nullptr;
  for (const char* word : {"pear", "apple", "fig", "cherry"}) ::tsearch(word, &tree, compare_words);
  const auto* const found = static_cast<const char* const*>(::tfind("fig", &tree, compare_words));
  const std::string fruit = *found;
  while (tree != nullptr) ::tdelete(*static_cast<const char**>(tree), &tree, compare_words);
  hsearch_data table{};
  REQUIRE(::hcreate_r(30, &table) != 0);
  char key[] = "key";
  char value[] = "value";
  ENTRY* entry = nullptr;
  REQUIRE(::hsearch_r({key, value}, ENTER, &entry, &table) != 0);
  moment();
  REQUIRE(::hsearch_r({key, nullptr}, FIND, &entry, &table) != 0);
  const std::string data = static_cast<const char*>(entry->data);
  ::hdestroy_r(&table);
  return fruit + " " + data;
}

std::string random_of_c() {
  char state[64];
  random_data generator{};
  ::initstate_r(42, state, sizeof state, &generator);
  std::string drawn;
  drand48_data other{};
  ::srand48_r(42, &other);
  for (int i = 0; i < 5; ++i) {
    int number = 0;
    double real = 0;
    ::random_r(&generator, &number);
    ::drand48_r(&other, &real);
    moment();
    drawn += fmt::format("{} {:.6f} ", number, real);
  }
  return drawn;
}

}  // namespace

std::vector<Case> c_library() {
// Where libc is a shared library, as sanitizers want it, its own malloc is not redirected.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)c_code, (void)memory_streams, (void)trees_and_tables;
  return {{"random_of_c", random_of_c}};
#else
  return {{"c_code", c_code},
          {"memory_streams", memory_streams},
          {"trees_and_tables", trees_and_tables},
          {"random_of_c", random_of_c}};
#endif
}

}  // namespace constructs
