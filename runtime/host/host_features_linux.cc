#include "runtime/host/host_features_linux.h"

#include <cpuid.h>
#include <elf.h>

#include <array>
#include <string>

namespace revenant::runtime {
namespace {

enum class Leaf : std::uint8_t { k1Ecx, k7Ebx, k7Ecx, k7Edx, kExtendedEcx };
constexpr std::size_t kLeaves = 5;

// What the kernel must keep, of XCR0.
constexpr std::uint64_t kNothing = 0;
constexpr std::uint64_t kAvx = 0x6;
constexpr std::uint64_t kAvx512 = 0xE6;
constexpr std::uint64_t kAmx = 0x60000;

struct Feature {
  const char* name;
  Leaf leaf;
  unsigned bit;
  std::uint64_t kept;
};

// The store's bits are the places in this table: it only ever grows at its end.
constexpr std::array kFeatures{
    Feature{"sse3", Leaf::k1Ecx, 0, kNothing},
    Feature{"pclmulqdq", Leaf::k1Ecx, 1, kNothing},
    Feature{"ssse3", Leaf::k1Ecx, 9, kNothing},
    Feature{"fma", Leaf::k1Ecx, 12, kAvx},
    Feature{"cx16", Leaf::k1Ecx, 13, kNothing},
    Feature{"sse4.1", Leaf::k1Ecx, 19, kNothing},
    Feature{"sse4.2", Leaf::k1Ecx, 20, kNothing},
    Feature{"movbe", Leaf::k1Ecx, 22, kNothing},
    Feature{"popcnt", Leaf::k1Ecx, 23, kNothing},
    Feature{"aes", Leaf::k1Ecx, 25, kNothing},
    Feature{"avx", Leaf::k1Ecx, 28, kAvx},
    Feature{"f16c", Leaf::k1Ecx, 29, kAvx},
    Feature{"rdrand", Leaf::k1Ecx, 30, kNothing},
    Feature{"bmi1", Leaf::k7Ebx, 3, kNothing},
    Feature{"avx2", Leaf::k7Ebx, 5, kAvx},
    Feature{"bmi2", Leaf::k7Ebx, 8, kNothing},
    Feature{"avx512f", Leaf::k7Ebx, 16, kAvx512},
    Feature{"avx512dq", Leaf::k7Ebx, 17, kAvx512},
    Feature{"rdseed", Leaf::k7Ebx, 18, kNothing},
    Feature{"adx", Leaf::k7Ebx, 19, kNothing},
    Feature{"avx512ifma", Leaf::k7Ebx, 21, kAvx512},
    Feature{"avx512cd", Leaf::k7Ebx, 28, kAvx512},
    Feature{"sha", Leaf::k7Ebx, 29, kNothing},
    Feature{"avx512bw", Leaf::k7Ebx, 30, kAvx512},
    Feature{"avx512vl", Leaf::k7Ebx, 31, kAvx512},
    Feature{"avx512vbmi", Leaf::k7Ecx, 1, kAvx512},
    Feature{"avx512vbmi2", Leaf::k7Ecx, 6, kAvx512},
    Feature{"gfni", Leaf::k7Ecx, 8, kNothing},
    Feature{"vaes", Leaf::k7Ecx, 9, kAvx},
    Feature{"vpclmulqdq", Leaf::k7Ecx, 10, kAvx},
    Feature{"avx512vnni", Leaf::k7Ecx, 11, kAvx512},
    Feature{"avx512bitalg", Leaf::k7Ecx, 12, kAvx512},
    Feature{"avx512vpopcntdq", Leaf::k7Ecx, 14, kAvx512},
    Feature{"amx-bf16", Leaf::k7Edx, 22, kAmx},
    Feature{"avx512fp16", Leaf::k7Edx, 23, kAvx512},
    Feature{"amx-tile", Leaf::k7Edx, 24, kAmx},
    Feature{"amx-int8", Leaf::k7Edx, 25, kAmx},
    Feature{"lzcnt", Leaf::kExtendedEcx, 5, kNothing},
};
static_assert(kFeatures.size() <= 64);

// The registers whose contents the kernel keeps for a process.
std::uint64_t kept_registers(unsigned leaf_1_ecx) {
  if ((leaf_1_ecx & bit_OSXSAVE) == 0) return 0;
  unsigned low = 0;
  unsigned high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low | static_cast<std::uint64_t>(high) << 32;
}

std::string machine_name(std::uint32_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_RISCV:
      return "riscv";
    default:
      return "an unknown architecture (" + std::to_string(machine) + ")";
  }
}

std::string names_of(std::uint64_t features) {
  std::string names;
  for (std::size_t i = 0; i < 64; ++i) {
    if ((features >> i & 1) == 0) continue;
    const std::string name =
        i < kFeatures.size() ? kFeatures[i].name : "feature " + std::to_string(i);
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

}  // namespace

store::HostFeatures own_host() {
  std::array<unsigned, kLeaves> words{};
  unsigned unused[4];
  ::__get_cpuid(1, &unused[0], &unused[1], &words[0], &unused[3]);
  ::__get_cpuid_count(7, 0, &unused[0], &words[1], &words[2], &words[3]);
  ::__get_cpuid(0x80000001, &unused[0], &unused[1], &words[4], &unused[3]);
  const std::uint64_t kept = kept_registers(words[0]);
  store::HostFeatures own{.machine = EM_X86_64};
  for (std::size_t i = 0; i < kFeatures.size(); ++i) {
    const Feature& feature = kFeatures[i];
    const bool there = (words[static_cast<std::size_t>(feature.leaf)] >> feature.bit & 1) != 0;
    if (there && (kept & feature.kept) == feature.kept) own.features |= std::uint64_t{1} << i;
  }
  return own;
}

base::Status check_host(const store::HostFeatures& ran_on, const store::HostFeatures& own,
                        const std::filesystem::path& store) {
  if (ran_on.machine == 0) return {};  // it has not run yet
  const std::string program = "the program in " + store.string() + " ran on ";
  if (ran_on.machine != own.machine) {
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       program + machine_name(ran_on.machine) + ", and this host is " +
                           machine_name(own.machine) + "; start it on a host of the first kind"};
  }
  const std::uint64_t missing = ran_on.features & ~own.features;
  if (missing == 0) return {};
  return base::Error{base::ErrorCode::kUnsupportedHost,
                     program + "a processor with " + names_of(missing) +
                         ", which this host's lacks and the program may have chosen; start it on "
                         "a host that has it"};
}

}  // namespace revenant::runtime
