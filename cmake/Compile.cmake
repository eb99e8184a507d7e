# Flags of every target: warnings as errors, non-PIE code, the sanitizers of this build.
add_library(revenant_flags INTERFACE)
target_include_directories(revenant_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
target_compile_options(revenant_flags INTERFACE
  -Wall -Wextra -Werror -Wno-missing-field-initializers -fno-pie -g -fno-omit-frame-pointer)
target_link_options(revenant_flags INTERFACE -no-pie)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(revenant_flags INTERFACE -Wthread-safety)
endif()
if(REVENANT_SANITIZE)
  target_compile_options(revenant_flags INTERFACE -fsanitize=${REVENANT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(revenant_flags INTERFACE -fsanitize=${REVENANT_SANITIZE} -static-libstdc++)
endif()
