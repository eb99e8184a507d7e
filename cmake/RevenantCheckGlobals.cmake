# cmake -D TARGET=... -D READELF=... -P RevenantCheckGlobals.cmake -- FILE...: refuses, by name and in one
# sentence, objects and archives whose globals cannot live in the snapshot. revenant_add_app runs it before
# it links a program with PERSIST_GLOBALS or PERSIST_GLOBALS_OF.

function(refuse SENTENCE)
  message(FATAL_ERROR "revenant_add_app(${TARGET}): ${SENTENCE}")
endfunction()

# What the runtime itself and the C and C++ libraries keep belongs to each process.
set(volatile_archives "^lib(c|m|m-.*|mvec|pthread|dl|rt|stdc\\+\\+|supc\\+\\+|gcc|gcc_eh|revenant|lmdb|xxhash|boost_context|backtrace)\\.a$")

# Writable sections that persist, or need not: .fini_array runs at the end of each process.
set(known_sections "^\\.((data|bss|init_array|fini_array|revenant_persistent|tdata|tbss)(\\..*)?|data1|gnu\\.linkonce\\.[db]\\..*)$")

function(check_kind FILE)
  get_filename_component(name ${FILE} NAME)
  file(READ ${FILE} magic LIMIT 8 HEX)
  if(name MATCHES "${volatile_archives}")
    refuse("the globals of ${name} belong to each process, as the C library's and the runtime's own do; leave it out of PERSIST_GLOBALS_OF.")
  elseif(magic STREQUAL "213c7468696e3e0a")
    refuse("${FILE} is a thin archive, which only names its objects; make a plain one (ar without T) for PERSIST_GLOBALS_OF.")
  elseif(magic MATCHES "^4243c0de" OR NOT (magic STREQUAL "213c617263683e0a" OR magic MATCHES "^7f454c46"))
    refuse("${FILE} is neither an archive nor an object of machine code (a linker script, perhaps, or compiled with -flto); give PERSIST_GLOBALS_OF the archives of machine code.")
  endif()
endfunction()

# One line of `readelf -SsW`: a file's name, a writable section, a thread local, or a trace of -flto.
function(check_line LINE FILE)
  if(LINE MATCHES " TLS +[A-Z]+ +[A-Z]+ +[0-9]+ ([^ ]+)")
    refuse("${FILE} has the thread local ${CMAKE_MATCH_1}, and thread locals cannot persist; make it a global, or leave ${FILE} out of PERSIST_GLOBALS and PERSIST_GLOBALS_OF.")
  elseif(LINE MATCHES "__gnu_lto_slim|Not an ELF file")
    refuse("${FILE} holds no machine code (it was compiled with -flto); compile it without for PERSIST_GLOBALS_OF.")
  elseif(LINE MATCHES "^ *[0-9]+ +([^ ]+) ")
    set(section ${CMAKE_MATCH_1})
    if(NOT section MATCHES "${known_sections}")
      refuse("${FILE} keeps variables in a section of its own, ${section}, of which PERSIST_GLOBALS knows nothing; let them lie in .data and .bss, or leave ${FILE} out.")
    endif()
  endif()
endfunction()

set(files "")
foreach(index RANGE ${CMAKE_ARGC})
  if(reached AND index LESS CMAKE_ARGC)
    list(APPEND files ${CMAKE_ARGV${index}})
  elseif("${CMAKE_ARGV${index}}" STREQUAL "--")
    set(reached TRUE)
  endif()
endforeach()
foreach(file ${files})
  check_kind(${file})
endforeach()

# readelf names the file of each part of its output only if there are several.
list(GET files 0 file)
set(ENV{LC_ALL} C)
execute_process(
  COMMAND ${READELF} -SsW ${files}
  COMMAND grep -aE "^File: |^ +\\[ *[0-9]+\\] .* WA[A-Za-z]* +[0-9]+ +[0-9]+ +[0-9]+$| TLS +[A-Z]+ +[A-Z]+ +[0-9]+ |__gnu_lto_slim|Not an ELF file"
  OUTPUT_VARIABLE lines ERROR_VARIABLE errors RESULTS_VARIABLE results)
# grep's result is 1 where there is nothing to find.
list(GET results 0 read)
list(GET results -1 found)
string(STRIP "${read} ${errors}" why)
if(NOT read STREQUAL "0" OR NOT found MATCHES "^[01]$")
  refuse("its globals cannot be looked at, since ${READELF} did not read all of them (${why}); set CMAKE_READELF to the readelf of binutils, and give PERSIST_GLOBALS_OF whole archives.")
endif()
# Brackets and semicolons mean something to lists.
string(REGEX REPLACE "[][;]" " " lines "${lines}")
string(REPLACE "\n" ";" lines "${lines}")
foreach(line ${lines})
  if(line MATCHES "^File: (.*)$")
    set(file ${CMAKE_MATCH_1})
  else()
    check_line("${line}" "${file}")
  endif()
endforeach()
