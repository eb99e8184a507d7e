// A callable passed down for the time of one call, without a template in every callee and without
// the allocation of std::function.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace revenant::base {

template <class Signature>
class FunctionRef;

// Refers to a callable of its caller's, which must outlive it: take it as a parameter by value, and
// never keep it.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> &&
           std::is_invocable_r_v<R, F&, Args...>)  //
      FunctionRef(F&& callable)
      : callable_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* target, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(target))(std::forward<Args>(args)...);
        }) {}

  R operator()(Args... args) const { return call_(callable_, std::forward<Args>(args)...); }

 private:
  void* callable_;
  R (*call_)(void*, Args...);
};

}  // namespace revenant::base
