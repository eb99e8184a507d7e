// JSON by jansson, whose tables are hashed with a seed that is drawn once a process: in a program
// that goes on without it, no key is found again.
#include <jansson.h>
#include <stdio.h>

#include "life.h"

void work(void) {
  json_t* tree = json_object();
  char key[16];
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 100; ++i) {
      snprintf(key, sizeof key, "key %d", 100 * round + i);
      json_object_set_new(tree, key, json_integer(i * i));
    }
    step("%zu keys", json_object_size(tree));
    int found = 0;
    for (int i = 0; i < 100 * (round + 1); ++i) {
      snprintf(key, sizeof key, "key %d", i);
      found += json_object_get(tree, key) != NULL;
    }
    step("%d found", found);
  }
  char* text = json_dumps(tree, JSON_COMPACT);
  step("%.100s", text);
}
