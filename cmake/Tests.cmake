find_package(GTest REQUIRED)
include(GoogleTest)

# How tests are compiled: faster than what they test, which is optimised and watched for undefined behaviour. What
# gcc 12 suspects of std::string's own code it says of precompiled headers, too.
add_library(revenant_test_flags INTERFACE)
target_compile_options(revenant_test_flags INTERFACE
  $<$<CONFIG:RelWithDebInfo>:-O1> $<$<CONFIG:RelWithDebInfo>:-g1>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
if(REVENANT_SANITIZE MATCHES undefined)
  target_compile_options(revenant_test_flags INTERFACE -fno-sanitize=undefined)
endif()

# revenant_add_test(TARGET SOURCES ... [LINK library ...] [PREFIX name] [NEEDS fixture]): a GoogleTest
# program whose cases become ctests. The cases are listed when ctest starts, not while building, since a sanitized
# program may need another environment than the build's (scripts/test).
function(revenant_add_test TARGET)
  cmake_parse_arguments(TEST "" "PREFIX;NEEDS" "SOURCES;LINK" ${ARGN})
  add_executable(${TARGET} ${TEST_SOURCES})
  target_link_libraries(${TARGET} PRIVATE
    ${TEST_LINK} revenant_test_support revenant_warnings revenant_test_flags)
  target_precompile_headers(${TARGET} REUSE_FROM revenant_test_support)
  gtest_discover_tests(${TARGET} TEST_PREFIX ${TEST_PREFIX}. DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300 FIXTURES_REQUIRED "${TEST_NEEDS}")
endfunction()

# revenant_room_tests(ROOM [PROGRAM room ...]): every source below tests/ROOM in one test program, linked
# as a program whose calls PROGRAM's rooms take, if there are any.
function(revenant_room_tests ROOM)
  cmake_parse_arguments(ROOM_TESTS "" "" "PROGRAM" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${ROOM}/*.cc)
  if(NOT sources)
    return()
  endif()
  revenant_add_test(${ROOM}_tests SOURCES ${sources} LINK revenant_${ROOM} PREFIX ${ROOM})
  if(ROOM_TESTS_PROGRAM)
    revenant_program(${ROOM}_tests ROOMS ${ROOM_TESTS_PROGRAM})
  endif()
endfunction()
