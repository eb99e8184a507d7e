# Revenant::revenant: the rooms that programs stand on, in one archive. Who links it gets the headers, the
# flags and the linking of programs, in this tree and from the installed package alike.
add_library(revenant STATIC)
add_library(Revenant::revenant ALIAS revenant)
foreach(room base vm store objects runtime)
  target_sources(revenant PRIVATE $<TARGET_OBJECTS:revenant_${room}>)
endforeach()
set_target_properties(revenant PROPERTIES LINKER_LANGUAGE CXX)
target_link_libraries(revenant
  PUBLIC revenant_flags $<INSTALL_INTERFACE:fmt::fmt-header-only>
  INTERFACE Revenant::boost_context Revenant::lmdb Revenant::xxhash Revenant::backtrace Threads::Threads)

# Where the package keeps its CMake files and what the linker reads.
set(REVENANT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Revenant)
set(installed_link_files $<INSTALL_PREFIX>/${REVENANT_CMAKE_DIR})
revenant_wrap_arguments(wraps "objects;runtime")
set(REVENANT_WRAPS ${wraps})

# revenant_add_app gives a program a low window of its own when it names globals that are to persist.
set(own_window $<GENEX_EVAL:$<TARGET_PROPERTY:REVENANT_LOW_WINDOW>>)
target_link_options(revenant INTERFACE ${REVENANT_PROGRAM_OPTIONS}
  $<BUILD_INTERFACE:-Wl,@${wraps}> $<INSTALL_INTERFACE:-Wl,@${installed_link_files}/wrapped_symbols.args>
  -Wl,-T,$<IF:$<BOOL:${own_window}>,${own_window},$<BUILD_INTERFACE:${REVENANT_LOW_WINDOW}>$<INSTALL_INTERFACE:${installed_link_files}/low_window.ld>>)
set_property(TARGET revenant PROPERTY INTERFACE_LINK_DEPENDS
  $<BUILD_INTERFACE:${wraps}> $<BUILD_INTERFACE:${REVENANT_LOW_WINDOW}>)
