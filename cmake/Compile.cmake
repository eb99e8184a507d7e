# revenant_flags: how every object of a program is compiled, the house's and the application's alike.
# Code must lie at the same address in every process, so nothing is position-independent.
add_library(revenant_flags INTERFACE)
target_include_directories(revenant_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
# A frame larger than the guard below a stack must touch the guard, not step over it into another stack.
target_compile_options(revenant_flags INTERFACE -fno-pie $<$<NOT:$<CONFIG:Debug>>:-g> -fno-omit-frame-pointer
  -fstack-clash-protection)
target_link_options(revenant_flags INTERFACE -no-pie)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

# revenant_warnings: what the house asks of its own code.
add_library(revenant_warnings INTERFACE)
target_compile_options(revenant_warnings INTERFACE
  -Wall -Wextra -Werror -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)

if(REVENANT_SANITIZE)
  target_compile_options(revenant_flags INTERFACE
    -fsanitize=${REVENANT_SANITIZE} -fno-sanitize-recover=all)
  # libstdc++ is linked statically for the sake of fixed addresses: a vtable in a shared library moves.
  target_link_options(revenant_flags INTERFACE -fsanitize=${REVENANT_SANITIZE} -static-libstdc++)
  # The instrumentation hides initialisations from these analyses; the release build runs them.
  target_compile_options(revenant_warnings INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds)
endif()
