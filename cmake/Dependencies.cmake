# What the house stands on, all from Debian 12 (scripts/setup installs it). What programs stand on is
# also named in RevenantConfig.cmake.in, for those who use an installed package.
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(RevenantArchives REQUIRED)

# Needed to compile the house, not to use it.
find_package(Boost 1.81 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
