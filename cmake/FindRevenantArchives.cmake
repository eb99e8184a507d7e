# The archives that programs are linked with: the imported targets Revenant::boost_context,
# Revenant::lmdb, Revenant::xxhash and Revenant::backtrace.
#
# Programs are static, so only archives will do, whatever a project has found of the same libraries for
# its other targets. libbacktrace is part of gcc, and lies in a directory of its compilers.
include(FindPackageHandleStandardArgs)

set(RevenantArchives_missing "")
foreach(entry boost_context:libboost-context1.81-dev lmdb:liblmdb-dev xxhash:libxxhash-dev backtrace:libgcc-12-dev)
  string(REGEX MATCH "^(.*):(.*)$" matched ${entry})
  set(name ${CMAKE_MATCH_1})
  set(package ${CMAKE_MATCH_2})
  find_library(RevenantArchives_${name} NAMES lib${name}.a HINTS ${CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES})
  mark_as_advanced(RevenantArchives_${name})
  if(NOT RevenantArchives_${name})
    string(APPEND RevenantArchives_missing "lib${name}.a is missing; install the package ${package}. ")
  elseif(NOT TARGET Revenant::${name})
    add_library(Revenant::${name} STATIC IMPORTED)
    set_target_properties(Revenant::${name} PROPERTIES IMPORTED_LOCATION ${RevenantArchives_${name}})
  endif()
endforeach()

find_package_handle_standard_args(RevenantArchives
  REQUIRED_VARS RevenantArchives_boost_context RevenantArchives_lmdb RevenantArchives_xxhash
    RevenantArchives_backtrace
  REASON_FAILURE_MESSAGE "${RevenantArchives_missing}")
