# revenant_flags: how every object of a program is compiled, the house's and the application's alike.
# Code must lie at the same address in every process, so nothing is position-independent.
add_library(revenant_flags INTERFACE)
set_target_properties(revenant_flags PROPERTIES EXPORT_NAME flags)
target_include_directories(revenant_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# A frame larger than the guard below a stack must touch the guard, not step over it into another stack.
target_compile_options(revenant_flags INTERFACE -fno-pie $<$<NOT:$<CONFIG:Debug>>:-g> -fno-omit-frame-pointer
  -fstack-clash-protection)
target_compile_features(revenant_flags INTERFACE cxx_std_20)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

# revenant_tree: the same for the tree's own sources, which name each other by room.
add_library(revenant_tree INTERFACE)
target_include_directories(revenant_tree INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(revenant_tree INTERFACE revenant_flags)
target_link_options(revenant_tree INTERFACE -no-pie)

# revenant_warnings: what the house asks of its own code. -Wrestrict of gcc 12 suspects std::string's operator+
# (https://gcc.gnu.org/PR105651).
add_library(revenant_warnings INTERFACE)
target_compile_options(revenant_warnings INTERFACE
  -Wall -Wextra -Werror -Wno-missing-field-initializers
  $<IF:$<CXX_COMPILER_ID:Clang>,-Wthread-safety,-Wno-restrict>)

if(REVENANT_SANITIZE)
  target_compile_options(revenant_flags INTERFACE
    -fsanitize=${REVENANT_SANITIZE} -fno-sanitize-recover=all)
  # libstdc++ is linked statically for the sake of fixed addresses: a vtable in a shared library moves.
  target_link_options(revenant_flags INTERFACE -fsanitize=${REVENANT_SANITIZE} -static-libstdc++)
  # The instrumentation hides initialisations from these analyses; the release build runs them.
  target_compile_options(revenant_warnings INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds)
endif()
