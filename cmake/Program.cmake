# How programs with green threads are linked: static and non-PIE, with a build-id, the low window, and
# the calls of wrapped_symbols.txt redirected to the rooms below.
#
# Sanitizers know no static programs: their builds differ in nothing else. Of the linkers only GNU ld
# takes a script that is added to its own (INSERT). clang takes -static for -no-pie, and warns of both.
set(REVENANT_PROGRAM_OPTIONS -fuse-ld=bfd -Wl,--build-id=sha1)
if(REVENANT_SANITIZE)
  list(APPEND REVENANT_PROGRAM_OPTIONS -no-pie)
else()
  list(APPEND REVENANT_PROGRAM_OPTIONS -static $<$<CXX_COMPILER_ID:GNU>:-no-pie>)
endif()
set(REVENANT_LINK_FILES ${CMAKE_CURRENT_LIST_DIR})
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${REVENANT_LINK_FILES}/wrapped_symbols.txt)

# The low window of a program that names no globals but by REVENANT_PERSISTENT.
set(REVENANT_LOW_WINDOW ${PROJECT_BINARY_DIR}/low_window.ld)
configure_file(${REVENANT_LINK_FILES}/low_window.ld.in ${REVENANT_LOW_WINDOW} @ONLY)

# The linker's arguments for the wrapped symbols of `rooms`, in a file whose name goes to `result`.
# Each __wrap_ function is asked for by name, so that its archive is searched before libc is.
function(revenant_wrap_arguments result rooms)
  file(STRINGS ${REVENANT_LINK_FILES}/wrapped_symbols.txt lines REGEX "^[^#]")
  set(arguments "")
  foreach(line ${lines})
    if(NOT line MATCHES "^([A-Za-z_0-9]+) (objects|runtime)$")
      message(FATAL_ERROR
        "cmake/wrapped_symbols.txt: '${line}' is not a symbol and its room; write, say, 'read runtime'.")
    endif()
    if("${CMAKE_MATCH_2}" IN_LIST rooms)
      string(APPEND arguments "--wrap=${CMAKE_MATCH_1} --undefined=__wrap_${CMAKE_MATCH_1}\n")
    endif()
  endforeach()
  list(JOIN rooms _ suffix)
  set(file ${PROJECT_BINARY_DIR}/wrap_${suffix}.args)
  file(CONFIGURE OUTPUT ${file} CONTENT "${arguments}" @ONLY)
  set(${result} ${file} PARENT_SCOPE)
endfunction()

# revenant_program(TARGET ROOMS room ...): links TARGET, a part of the house's own tests, so; only the calls
# that the named rooms take are redirected.
function(revenant_program TARGET)
  cmake_parse_arguments(PARSE_ARGV 1 PROGRAM "" "" "ROOMS")
  revenant_wrap_arguments(wraps "${PROGRAM_ROOMS}")
  target_link_options(${TARGET} PRIVATE ${REVENANT_PROGRAM_OPTIONS}
    -Wl,@${wraps} -Wl,-T,${REVENANT_LOW_WINDOW})
  set_property(TARGET ${TARGET} APPEND PROPERTY LINK_DEPENDS ${wraps} ${REVENANT_LOW_WINDOW})
endfunction()
