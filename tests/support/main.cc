// The main function of every test program: GoogleTest's, and --seed.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string_view>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // Death tests run a fresh copy of the program: threads of this one are no trouble to it.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  constexpr std::string_view kSeedFlag = "--seed=";
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).starts_with(kSeedFlag)) {
      ::setenv("REVENANT_SEED", argv[i] + kSeedFlag.size(), 1);
    }
  }
  return RUN_ALL_TESTS();
}
