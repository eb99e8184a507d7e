// A doubly linked list whose links live in its elements.
//
//   list --> first <-> second <-> ... <-> last
//
// I1  An element is on at most one list by one hook; its hook names that list, or none.
// I2  size() is the number of elements from the first to the last, in either direction.
// I3  The neighbours of an element name it as theirs; the first has none before it, the last none
//     after.
//
// Links are plain pointers to elements, so a list means the same after a restart as long as it and
// its elements lie at the addresses they had. A list that is built anew at each start, of elements
// that survive, needs forget() on their hooks first. It owns nothing and allocates nothing.
//
// Threads: not synchronised; the owner's lock guards the list and the hooks on it.
// Errors: none; using an element that is on no list, or on another one, is a bug.
#pragma once

#include <cstddef>
#include <iterator>

#include "base/check.h"

namespace revenant::base {

// What an element carries to be on a list. A copy of an element is on no list.
class ListHook {
 public:
  ListHook() = default;
  ListHook(const ListHook&) {}
  ListHook& operator=(const ListHook&) = delete;

  [[nodiscard]] bool linked() const { return list_ != nullptr; }

  // Takes the hook off a list that no longer exists: one of an earlier process.
  void forget() { previous_ = next_ = nullptr, list_ = nullptr; }

 private:
  template <class T, ListHook T::*Hook>
  friend class IntrusiveList;

  // Elements, not hooks: no arithmetic leads from one to the other.
  void* previous_ = nullptr;
  void* next_ = nullptr;
  const void* list_ = nullptr;
};

// T has a member `ListHook`, named by `Hook`.
template <class T, ListHook T::*Hook>
class IntrusiveList {
 public:
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    iterator() = default;
    explicit iterator(T* element) : element_(element) {}
    T& operator*() const { return *element_; }
    T* operator->() const { return element_; }
    iterator& operator++() { return element_ = after(*element_), *this; }
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator&) const = default;

   private:
    T* element_ = nullptr;
  };

  IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool contains(const T& element) const { return (element.*Hook).list_ == this; }
  T* front() { return first_; }
  T* back() { return last_; }
  // The element after `current`, or null at the end.
  T* next(T& current) {
    REVENANT_DCHECK(contains(current));  // I1
    return after(current);
  }
  // The element before `current`, or null at the beginning.
  T* previous(T& current) {
    REVENANT_DCHECK(contains(current));  // I1
    return before(current);
  }
  iterator begin() { return iterator(first_); }
  iterator end() { return iterator(); }

  void push_back(T& added) { insert(last_, added, nullptr); }
  void push_front(T& added) { insert(nullptr, added, first_); }
  void insert_before(T& position, T& added) {
    REVENANT_DCHECK(contains(position));  // I1
    insert(before(position), added, &position);
  }

  void erase(T& removed) {
    REVENANT_DCHECK(contains(removed));  // I1
    join(before(removed), after(removed));
    (removed.*Hook).forget();
    --size_;
  }

  T* pop_front() {
    T* const popped = first_;
    if (popped != nullptr) erase(*popped);
    return popped;
  }

  // Walks the whole list; for tests and verification.
  void check_invariants() const {
    std::size_t found = 0;
    const T* previous = nullptr;
    for (const T* element = first_; element != nullptr; element = after(*element)) {
      REVENANT_CHECK(contains(*element), "element %zu of a list is on another", found);  // I1
      REVENANT_CHECK(before(*element) == previous, "element %zu of a list", found);      // I3
      REVENANT_CHECK(++found <= size_, "more than %zu elements", size_);                 // I2
      previous = element;
    }
    REVENANT_CHECK(previous == last_ && found == size_, "%zu of %zu", found, size_);  // I2
  }

 private:
  static T* before(const T& element) { return static_cast<T*>((element.*Hook).previous_); }
  static T* after(const T& element) { return static_cast<T*>((element.*Hook).next_); }

  // Makes two elements neighbours; null stands for what lies beyond either end.
  void join(T* left, T* right) {
    if (left != nullptr) {
      (left->*Hook).next_ = right;
    } else {
      first_ = right;
    }
    if (right != nullptr) {
      (right->*Hook).previous_ = left;
    } else {
      last_ = left;
    }
  }

  void insert(T* previous, T& added, T* next) {
    ListHook& hook = added.*Hook;
    REVENANT_DCHECK(!hook.linked());  // I1
    hook.list_ = this;
    join(previous, &added);
    join(&added, next);
    ++size_;
  }

  T* first_ = nullptr;
  T* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace revenant::base
