# revenant_add_app(TARGET SOURCES a.cc b.c ... [LINK lib ...] [PERSIST_GLOBALS_OF lib ...] [PERSIST_GLOBALS]):
# an application: a static, non-PIE program with a build-id and debug info over the whole house.
# LINK takes static libraries: a path, -lname, or a CMake target.

# What cannot work is refused at configure time, in one sentence.
function(revenant_refuse_app TARGET SENTENCE)
  message(FATAL_ERROR "revenant_add_app(${TARGET}): ${SENTENCE}")
endfunction()

function(revenant_check_app_library TARGET LIBRARY)
  if(LIBRARY MATCHES "\\.so(\\.[0-9]+)*$")
    revenant_refuse_app(${TARGET} "${LIBRARY} is a shared library, whose code moves between processes; link its static archive.")
  elseif(LIBRARY MATCHES "\\.a$" AND IS_ABSOLUTE "${LIBRARY}" AND NOT EXISTS "${LIBRARY}")
    revenant_refuse_app(${TARGET} "${LIBRARY} does not exist; install the package that holds the archive, or name another.")
  elseif(TARGET ${LIBRARY})
    get_target_property(type ${LIBRARY} TYPE)
    if(type STREQUAL SHARED_LIBRARY)
      revenant_refuse_app(${TARGET} "the target ${LIBRARY} is a shared library, whose code moves between processes; link its static archive.")
    endif()
  endif()
endfunction()

function(revenant_add_app TARGET)
  cmake_parse_arguments(PARSE_ARGV 1 APP "PERSIST_GLOBALS" "" "SOURCES;LINK;PERSIST_GLOBALS_OF")
  if(NOT APP_SOURCES)
    revenant_refuse_app(${TARGET} "there are no SOURCES; name at least one file.")
  elseif(APP_UNPARSED_ARGUMENTS)
    revenant_refuse_app(${TARGET} "'${APP_UNPARSED_ARGUMENTS}' is no argument; the known ones are SOURCES, LINK, PERSIST_GLOBALS_OF and PERSIST_GLOBALS.")
  elseif(APP_PERSIST_GLOBALS OR APP_PERSIST_GLOBALS_OF)
    revenant_refuse_app(${TARGET} "globals cannot be made persistent yet; drop PERSIST_GLOBALS and PERSIST_GLOBALS_OF, and keep what must survive under a root.")
  endif()
  foreach(library ${APP_LINK})
    revenant_check_app_library(${TARGET} ${library})
  endforeach()
  add_executable(${TARGET} ${APP_SOURCES})
  target_link_libraries(${TARGET} PRIVATE ${APP_LINK} Revenant::revenant)
  set_target_properties(${TARGET} PROPERTIES POSITION_INDEPENDENT_CODE OFF LINKER_LANGUAGE CXX)
endfunction()
