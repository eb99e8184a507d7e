# cmake -D CLANG_FORMAT=... -D SOURCE_DIR=... -P check_format.cmake: every source is as .clang-format says.
foreach(folder base vm store objects runtime cli apps tests bench include)
  file(GLOB_RECURSE found ${SOURCE_DIR}/${folder}/*.h ${SOURCE_DIR}/${folder}/*.cc ${SOURCE_DIR}/${folder}/*.c)
  list(APPEND sources ${found})
endforeach()
execute_process(COMMAND ${CLANG_FORMAT} --dry-run -Werror --style=file ${sources} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "some sources are not formatted; run clang-format -i on those named above.")
endif()
