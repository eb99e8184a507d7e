# What the house stands on, all from Debian 12 (scripts/setup installs it). Programs are static, so the
# archives are taken wherever there are any.
set(Boost_USE_STATIC_LIBS ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS context)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)

# LMDB and xxHash come without CMake packages.
find_library(REVENANT_LMDB NAMES liblmdb.a lmdb REQUIRED)
find_library(REVENANT_XXHASH NAMES libxxhash.a xxhash REQUIRED)
