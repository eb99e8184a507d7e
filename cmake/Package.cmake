# What `cmake --install` puts where: the tool, the headers, librevenant.a, the package for find_package and
# the one for pkg-config.
include(CMakePackageConfigHelpers)

install(TARGETS revenant_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS revenant revenant_flags EXPORT RevenantTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Where programs are stripped, the archive loses what debuggers read, thirty times the rest: only lines of
# the runtime's own frames are missed.
install(CODE "if(CMAKE_INSTALL_DO_STRIP)
    execute_process(COMMAND ${CMAKE_STRIP} --strip-debug $<TARGET_FILE_NAME:revenant> COMMAND_ERROR_IS_FATAL ANY
      WORKING_DIRECTORY \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}\")
  endif()")
install(DIRECTORY include/revenant DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(EXPORT RevenantTargets NAMESPACE Revenant:: DESTINATION ${REVENANT_CMAKE_DIR})

configure_package_config_file(cmake/RevenantConfig.cmake.in ${PROJECT_BINARY_DIR}/RevenantConfig.cmake
  INSTALL_DESTINATION ${REVENANT_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/RevenantConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/RevenantConfig.cmake ${PROJECT_BINARY_DIR}/RevenantConfigVersion.cmake
    cmake/RevenantAddApp.cmake cmake/RevenantCheckGlobals.cmake cmake/FindRevenantArchives.cmake
    cmake/low_window.ld.in ${REVENANT_LOW_WINDOW}
  DESTINATION ${REVENANT_CMAKE_DIR})
install(FILES ${REVENANT_WRAPS} DESTINATION ${REVENANT_CMAKE_DIR} RENAME wrapped_symbols.args)

# A library directory may have several components (lib/x86_64-linux-gnu).
file(RELATIVE_PATH REVENANT_PC_PREFIX /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
string(REGEX REPLACE "/$" "" REVENANT_PC_PREFIX "${REVENANT_PC_PREFIX}")
configure_file(cmake/revenant.pc.in ${PROJECT_BINARY_DIR}/revenant.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/revenant.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# What is made from the definition of the command lines (cli/CMakeLists.txt).
set(descriptions ${PROJECT_BINARY_DIR}/cli)
install(FILES ${descriptions}/revenant.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${descriptions}/revenant-programs.7.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)
set(share ${CMAKE_INSTALL_DATADIR})
install(FILES ${descriptions}/revenant.bash DESTINATION ${share}/bash-completion/completions
  RENAME revenant)
install(FILES ${descriptions}/_revenant DESTINATION ${share}/zsh/vendor-completions)
install(FILES ${descriptions}/revenant.fish DESTINATION ${share}/fish/vendor_completions.d)
install(FILES packaging/revenant@.service packaging/seccomp-userfaultfd.json DESTINATION ${share}/revenant)
install(FILES packaging/copyright DESTINATION ${share}/doc/revenant)

# The Debian package (scripts/package). What the tool itself is linked with is found by dpkg-shlibdeps; the
# rest is what programs are compiled and linked with.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME revenant)
set(CPACK_PACKAGE_CONTACT "The Revenant authors <revenant@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}: library and tool")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "Green threads, their stacks and everything they allocate live in one
persistent address space; a snapshotter commits what changed many times
a second. Killed at any instant and started again, a program goes on from
its last snapshot. This package holds the library to build such programs
with, and the tool that looks into their stores.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "g++ (>= 4:12), binutils, libboost-context1.81-dev, libfmt-dev (>= 9), liblmdb-dev, libxxhash-dev")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "cmake (>= 3.25), pkgconf")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
include(CPack)
