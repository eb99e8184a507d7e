# revenant_benches(): every bench/NAME.cc becomes build/bench/NAME, and the ctest bench.NAME, which runs
# it with `--smoke`: a tiny input, so that no benchmark rots. Sources under bench/support are linked into each.
#
# A bench is a program with green threads, linked as applications are. One that includes Google Benchmark,
# of which Debian has no archive, measures a part of the house by itself and is linked dynamically.
# bench/peers/NAME.cc becomes build/bench/peers/NAME: a rival measured in a process of its own.
find_package(benchmark QUIET)

function(revenant_add_bench NAME SOURCE)
  file(STRINGS ${SOURCE} includes_benchmark REGEX "^#include <benchmark/")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SOURCE})
  if(includes_benchmark AND NOT benchmark_FOUND)
    message(STATUS "bench/${NAME} is left out: Google Benchmark is not installed (libbenchmark-dev)")
    return()
  elseif(includes_benchmark)
    add_executable(bench_${NAME} ${SOURCE})
    target_link_libraries(bench_${NAME} PRIVATE revenant_vm revenant_store benchmark::benchmark)
  else()
    revenant_add_app(bench_${NAME} SOURCES ${SOURCE})
  endif()
  target_link_libraries(bench_${NAME} PRIVATE ${BENCH_SUPPORT} revenant_tree revenant_warnings)
  set_target_properties(bench_${NAME} PROPERTIES OUTPUT_NAME ${NAME})
  add_test(NAME bench.${NAME} COMMAND bench_${NAME} --smoke)
  set_tests_properties(bench.${NAME} PROPERTIES TIMEOUT 300)
endfunction()

function(revenant_benches)
  file(GLOB support CONFIGURE_DEPENDS support/*.cc)
  if(support)
    add_library(revenant_bench_support STATIC ${support})
    target_link_libraries(revenant_bench_support PUBLIC revenant_tree nlohmann_json::nlohmann_json
      PRIVATE revenant_warnings)
    set(BENCH_SUPPORT revenant_bench_support)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  foreach(source ${sources})
    cmake_path(GET source STEM name)
    revenant_add_bench(${name} ${source})
  endforeach()
  file(GLOB peers CONFIGURE_DEPENDS peers/*.cc)
  foreach(source ${peers})
    cmake_path(GET source STEM name)
    add_executable(bench_peer_${name} ${source})
    target_link_libraries(bench_peer_${name} PRIVATE ${BENCH_SUPPORT} revenant_tree revenant_warnings)
    set_target_properties(bench_peer_${name} PROPERTIES OUTPUT_NAME ${name}
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/peers)
  endforeach()
endfunction()
