#include <sys/resource.h>

#include <string>

#include "base/memory_limits.h"

namespace revenant::base {
namespace {

// What the limit lets this process have, in a sentence's end; nothing if it sets none.
std::string limit_sentence(__rlimit_resource resource, const std::string& what,
                           const char* option) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return "";
  return "the limit of its " + what + " is " + std::to_string(limit.rlim_cur >> 20) +
         " MiB; lift it (ulimit " + option + " unlimited)";
}

}  // namespace

std::string why_no_memory() {
  std::string space = limit_sentence(RLIMIT_AS, "address space", "-v");
  if (!space.empty()) return space;
  std::string data = limit_sentence(RLIMIT_DATA, "data", "-d");
  if (!data.empty()) return data;
  return "the kernel refuses to overcommit; set vm.overcommit_memory to 0 or 1";
}

Error no_memory_for(const std::string& needed_by) {
  return {ErrorCode::kNoSpace,
          needed_by + " needs memory that the host refuses: " + why_no_memory()};
}

}  // namespace revenant::base
