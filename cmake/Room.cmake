# revenant_room(NAME [DEPENDS room ...] [LINK library ...] [FOLDERS folder ...] [EXCEPT file ...]): the
# static library of one folder's sources and of the folders named in it, all but the excepted.
function(revenant_room NAME)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LINK;FOLDERS;EXCEPT" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc *.S)
  foreach(folder ${ROOM_FOLDERS})
    file(GLOB inner CONFIGURE_DEPENDS ${folder}/*.cc)
    list(APPEND sources ${inner})
  endforeach()
  list(TRANSFORM ROOM_EXCEPT PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(REMOVE_ITEM sources ${ROOM_EXCEPT})
  list(TRANSFORM ROOM_DEPENDS PREPEND revenant_)
  if(sources)
    add_library(revenant_${NAME} STATIC ${sources})
    target_link_libraries(revenant_${NAME}
      PUBLIC ${ROOM_DEPENDS} ${ROOM_LINK} revenant_tree
      PRIVATE revenant_warnings)
  else()
    add_library(revenant_${NAME} INTERFACE)
    target_link_libraries(revenant_${NAME} INTERFACE ${ROOM_DEPENDS} ${ROOM_LINK} revenant_tree)
  endif()
endfunction()
