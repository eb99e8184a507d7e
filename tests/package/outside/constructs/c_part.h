// C compiled as C, and called from C++.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct node;

/* Counts the words of `text` in a tree; the caller frees it by free_tree. All call `pause` between
 * their steps. */
struct node* count_words(const char* text, void (*pause)(void));
/* The count of `word`. */
int count_of(const struct node* tree, const char* word);
/* The tree's words in order, by open_memstream; the caller frees the text. */
char* words_of(const struct node* tree, void (*pause)(void));
void free_tree(struct node* tree);

/* Sums `count` numbers: of variable arguments, and by a variable-length array. */
long sum_of_longs(void (*pause)(void), int count, ...);

#ifdef __cplusplus
}
#endif
