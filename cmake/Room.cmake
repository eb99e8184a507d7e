# revenant_room(NAME [DEPENDS room ...] [LINK library ...] [EXCEPT file ...]): the static library of one
# folder's sources, all but the excepted.
function(revenant_room NAME)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LINK;EXCEPT" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc *.S)
  list(TRANSFORM ROOM_EXCEPT PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(REMOVE_ITEM sources ${ROOM_EXCEPT})
  list(TRANSFORM ROOM_DEPENDS PREPEND revenant_)
  if(sources)
    add_library(revenant_${NAME} STATIC ${sources})
    target_link_libraries(revenant_${NAME}
      PUBLIC ${ROOM_DEPENDS} ${ROOM_LINK} revenant_flags
      PRIVATE revenant_warnings)
  else()
    add_library(revenant_${NAME} INTERFACE)
    target_link_libraries(revenant_${NAME} INTERFACE ${ROOM_DEPENDS} ${ROOM_LINK} revenant_flags)
  endif()
endfunction()
