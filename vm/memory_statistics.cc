#include "vm/memory_statistics.h"

namespace revenant::vm {

MemoryStatistics MemoryCounters::read() const noexcept {
  using boost::describe::describe_members;
  using From =
      describe_members<MemoryFigures<std::atomic<std::uint64_t>>, boost::describe::mod_public>;
  using To = describe_members<MemoryStatistics, boost::describe::mod_public>;
  using Count = boost::mp11::mp_size<To>;
  static_assert(Count::value * sizeof(std::uint64_t) == sizeof(MemoryStatistics),
                "every figure is described");
  MemoryStatistics copy;
  boost::mp11::mp_for_each<boost::mp11::mp_iota<Count>>([&](auto number) {
    constexpr auto from = boost::mp11::mp_at<From, decltype(number)>::pointer;
    constexpr auto to = boost::mp11::mp_at<To, decltype(number)>::pointer;
    copy.*to = (this->*from).load(std::memory_order_relaxed);
  });
  return copy;
}

}  // namespace revenant::vm
