# What `cmake --install` puts where: the tool, the headers, librevenant.a, the package for find_package and
# the one for pkg-config.
include(CMakePackageConfigHelpers)

install(TARGETS revenant_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS revenant revenant_flags EXPORT RevenantTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
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

configure_file(cmake/revenant.pc.in ${PROJECT_BINARY_DIR}/revenant.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/revenant.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
