// A doubly linked list whose links live in its elements.
//
//   list --> first <-> second <-> ... <-> last
//
// I1  An element is on at most one list by one hook; a hook that is on none has null links.
// I2  size() is the number of elements reachable from the front.
//
// The list owns nothing and allocates nothing, so lists and elements may both lie in persistent
// memory: after a restart they mean what they meant. Not synchronised; the owner's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"

namespace revenant::base {

struct ListHook {
  ListHook* previous = nullptr;
  ListHook* next = nullptr;
  [[nodiscard]] bool linked() const { return next != nullptr; }
};

// T has a member `ListHook`, named by `Hook`.
template <class T, ListHook T::*Hook>
class IntrusiveList {
 public:
  IntrusiveList() { reset(); }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  [[nodiscard]] bool empty() const { return head_.next == &head_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  T* front() { return empty() ? nullptr : element(head_.next); }
  T* back() { return empty() ? nullptr : element(head_.previous); }
  // The element after `current`, or null at the end.
  T* next(T& current) {
    ListHook* hook = (current.*Hook).next;
    return hook == &head_ ? nullptr : element(hook);
  }

  void push_back(T& added) { insert_before(head_, added); }
  void push_front(T& added) { insert_before(*head_.next, added); }

  void erase(T& removed) {
    ListHook& hook = removed.*Hook;
    REVENANT_DCHECK(hook.linked());  // I1
    hook.previous->next = hook.next;
    hook.next->previous = hook.previous;
    hook = {};
    --size_;
  }

  T* pop_front() {
    T* first = front();
    if (first != nullptr) erase(*first);
    return first;
  }

 private:
  void reset() { head_.previous = head_.next = &head_; }

  void insert_before(ListHook& position, T& added) {
    ListHook& hook = added.*Hook;
    REVENANT_DCHECK(!hook.linked());  // I1
    hook.previous = position.previous;
    hook.next = &position;
    position.previous->next = &hook;
    position.previous = &hook;
    ++size_;
  }

  static T* element(ListHook* hook) {
    // The hook's offset in T, without an object of T to measure it on.
    alignas(T) static constexpr char probe[sizeof(T)] = {};
    const auto* as_element = reinterpret_cast<const T*>(probe);
    const auto offset = reinterpret_cast<std::uintptr_t>(&(as_element->*Hook)) -
                        reinterpret_cast<std::uintptr_t>(probe);
    return reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(hook) - offset);
  }

  ListHook head_;
  std::size_t size_ = 0;
};

}  // namespace revenant::base
