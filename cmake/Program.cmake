# revenant_program(TARGET [ROOMS room ...]): links TARGET as programs with green threads are linked:
# static and non-PIE, with a build-id, the low window, and the calls of wrapped_symbols.txt redirected
# to the rooms below it (all rooms, unless ROOMS names some).
#
# Sanitizers know no static programs: their builds differ in nothing else.
set(REVENANT_LINK_FILES ${CMAKE_CURRENT_LIST_DIR})
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${REVENANT_LINK_FILES}/wrapped_symbols.txt)

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

function(revenant_program TARGET)
  cmake_parse_arguments(PROGRAM "" "" "ROOMS" ${ARGN})
  if(NOT PROGRAM_ROOMS)
    set(PROGRAM_ROOMS objects runtime)
  endif()
  revenant_wrap_arguments(wraps "${PROGRAM_ROOMS}")
  set(low_window ${REVENANT_LINK_FILES}/low_window.ld)
  target_link_options(${TARGET} PRIVATE
    -Wl,@${wraps} -Wl,-T,${low_window} -Wl,--build-id=sha1)
  if(NOT REVENANT_SANITIZE)
    target_link_options(${TARGET} PRIVATE -static)
  endif()
  set_property(TARGET ${TARGET} APPEND PROPERTY LINK_DEPENDS ${wraps} ${low_window})
endfunction()
