#include "runtime/persistent_globals.h"

#include <cstddef>
#include <cstdlib>
#include <ios>
#include <span>
#include <utility>

#include "base/sanitizer.h"

// The linker script's; weak, since the tests of single rooms are linked without it.
extern "C" {
using Constructor = void (*)(int, char**, char**);
extern std::byte __revenant_low_start[] __attribute__((weak));
extern std::byte __revenant_low_end[] __attribute__((weak));
extern const Constructor __revenant_constructors_start[] __attribute__((weak));
extern const Constructor __revenant_constructors_end[] __attribute__((weak));
}

namespace revenant::runtime {
namespace {

std::span<const Constructor> constructors() {
  return {__revenant_constructors_start,
          static_cast<std::size_t>(__revenant_constructors_end - __revenant_constructors_start)};
}

// Who includes <iostream> makes the streams ready by a global of his own: where that one persists,
// later processes have none but this.
const std::ios_base::Init streams;

class ConstructorsThenMain final : public detail::task {
 public:
  explicit ConstructorsThenMain(std::unique_ptr<detail::task> main) : main_(std::move(main)) {}

  void run(std::stop_token token) override {
    // Arguments and environment are a process's: what is built once must not keep them.
    static char* nothing[] = {nullptr};
    for (const Constructor construct : constructors()) construct(0, nothing, nothing);
    main_->run(std::move(token));
  }

 private:
  std::unique_ptr<detail::task> main_;
};

}  // namespace

base::PageRun low_window() noexcept {
  return {base::PageNumber::of(__revenant_low_start),
          base::PageCount::holding(
              static_cast<std::uint64_t>(__revenant_low_end - __revenant_low_start))};
}

bool is_persistent_global(const void* address) noexcept {
  const auto* byte = static_cast<const std::byte*>(address);
  return byte >= __revenant_low_start && byte < __revenant_low_end;
}

void load_globals_before_leak_check() {
#ifdef REVENANT_ASAN
  // Registered after LeakSanitizer's own function, and so called before it.
  std::atexit([] {
    const base::PageRun low = low_window();
    for (base::PageNumber page = low.first; page < low.end(); ++page) {
      const volatile std::byte* first = page.pointer();
      (void)*first;
    }
  });
#endif
}

std::unique_ptr<detail::task> after_constructors(std::unique_ptr<detail::task> main) {
  if (constructors().empty()) return main;
  return std::make_unique<ConstructorsThenMain>(std::move(main));
}

}  // namespace revenant::runtime
