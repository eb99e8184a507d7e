/* C as it was written before there was anything else. */
#define _GNU_SOURCE
#include "c_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
  char* word;
  int count;
  struct node* left;
  struct node* right;
};

static struct node* insert(struct node* tree, const char* word) {
  if (!tree) {
    tree = calloc(1, sizeof *tree);
    if (asprintf(&tree->word, "%s", word) < 0) abort();
  }
  const int order = strcmp(word, tree->word);
  if (order < 0) tree->left = insert(tree->left, word);
  if (order > 0) tree->right = insert(tree->right, word);
  if (order == 0) ++tree->count;
  return tree;
}

struct node* count_words(const char* text, void (*pause)(void)) {
  struct node* tree = 0;
  char* const copy = strdup(text);
  char* rest = 0;
  for (char* word = strtok_r(copy, " ,.", &rest); word; word = strtok_r(0, " ,.", &rest)) {
    pause();
    tree = insert(tree, word);
  }
  free(copy);
  return tree;
}

int count_of(const struct node* tree, const char* word) {
  while (tree) {
    const int order = strcmp(word, tree->word);
    if (order == 0) return tree->count;
    tree = order < 0 ? tree->left : tree->right;
  }
  return 0;
}

static void write_words(const struct node* tree, FILE* out, void (*pause)(void)) {
  if (!tree) return;
  write_words(tree->left, out, pause);
  fprintf(out, "%s:%d ", tree->word, tree->count);
  pause();
  write_words(tree->right, out, pause);
}

char* words_of(const struct node* tree, void (*pause)(void)) {
  char* text = 0;
  size_t size = 0;
  FILE* const out = open_memstream(&text, &size);
  write_words(tree, out, pause);
  fclose(out);
  return text;
}

void free_tree(struct node* tree) {
  if (!tree) return;
  free_tree(tree->left);
  free_tree(tree->right);
  free(tree->word);
  free(tree);
}

long sum_of_longs(void (*pause)(void), int count, ...) {
  long numbers[count];
  va_list arguments;
  va_start(arguments, count);
  for (int i = 0; i < count; ++i) {
    numbers[i] = va_arg(arguments, long);
    pause();
  }
  va_end(arguments);
  long sum = 0;
  for (int i = 0; i < count; ++i) sum += numbers[i];
  return sum;
}
