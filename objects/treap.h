// A search tree whose links live in its nodes and whose shape needs no stored balance.
//
// Each node's priority is a hash of its address; the tree is ordered by key and a heap by priority,
// which makes it balanced in expectation (Seidel and Aragon, "Randomized search trees", 1996).
// Nodes may lie in persistent memory: the links are plain pointers, and the priorities come out the
// same after a restart.
//
// I1  In-order, keys rise strictly.
// I2  A node's priority is at least that of its children.
//
// `Order::key(node)` gives a key that compares with <. The tree owns nothing, allocates nothing and
// is not synchronised. The root pointer belongs to the caller, so that a tree is one word.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"

namespace revenant::objects {

template <class Node>
struct TreapLinks {
  Node* left;
  Node* right;
};

template <class Node, TreapLinks<Node> Node::*Links, class Order>
class Treap {
 public:
  explicit Treap(Node*& root) : root_(root) {}

  void insert(Node& added) {
    const auto key = Order::key(added);
    Node** place = &root_;
    while (*place != nullptr && priority(**place) >= priority(added)) {
      REVENANT_DCHECK(key < Order::key(**place) || Order::key(**place) < key);  // I1
      place = key < Order::key(**place) ? &left(**place) : &right(**place);
    }
    split(*place, key, left(added), right(added));
    *place = &added;
  }

  void erase(Node& removed) {
    const auto key = Order::key(removed);
    Node** place = &root_;
    while (*place != &removed) {
      REVENANT_CHECK(*place != nullptr, "node %p is not in its tree", static_cast<void*>(&removed));
      place = key < Order::key(**place) ? &left(**place) : &right(**place);
    }
    merge(place, left(removed), right(removed));
    removed.*Links = {nullptr, nullptr};
  }

  // The first node whose key is not less than `key`, or null.
  template <class Key>
  [[nodiscard]] Node* first_from(const Key& key) const {
    Node* best = nullptr;
    for (Node* node = root_; node != nullptr;) {
      const bool less = Order::key(*node) < key;
      if (!less) best = node;
      node = less ? right(*node) : left(*node);
    }
    return best;
  }

  // The first node whose key is greater than `key`, or null.
  template <class Key>
  [[nodiscard]] Node* first_after(const Key& key) const {
    Node* best = nullptr;
    for (Node* node = root_; node != nullptr;) {
      const bool greater = key < Order::key(*node);
      if (greater) best = node;
      node = greater ? left(*node) : right(*node);
    }
    return best;
  }

  [[nodiscard]] Node* first() const {
    Node* node = root_;
    while (node != nullptr && left(*node) != nullptr) node = left(*node);
    return node;
  }

  template <class Key>
  [[nodiscard]] Node* find(const Key& key) const {
    Node* node = first_from(key);
    return node != nullptr && !(key < Order::key(*node)) ? node : nullptr;
  }

 private:
  static Node*& left(Node& node) { return (node.*Links).left; }
  static Node*& right(Node& node) { return (node.*Links).right; }

  static std::uint64_t priority(const Node& node) {
    const auto address = reinterpret_cast<std::uintptr_t>(&node);
    return (address ^ (address >> 23)) * 0x9E3779B97F4A7C15u;
  }

  // Parts `tree` at `key` into what lies below and above it.
  template <class Key>
  static void split(Node* tree, const Key& key, Node*& below, Node*& above) {
    Node** low = &below;
    Node** high = &above;
    while (tree != nullptr) {
      if (Order::key(*tree) < key) {
        *low = tree;
        low = &right(*tree);
        tree = *low;
      } else {
        *high = tree;
        high = &left(*tree);
        tree = *high;
      }
    }
    *low = *high = nullptr;
  }

  // Joins two trees, all of whose keys are in order, at `place`.
  static void merge(Node** place, Node* below, Node* above) {
    while (below != nullptr && above != nullptr) {
      if (priority(*below) >= priority(*above)) {
        *place = below;
        place = &right(*below);
        below = *place;
      } else {
        *place = above;
        place = &left(*above);
        above = *place;
      }
    }
    *place = below != nullptr ? below : above;
  }

  Node*& root_;
};

}  // namespace revenant::objects
