# Installs the tools, the libraries, their headers and what find_package(Napkin)
# reads. Included last, when every library is known.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
get_property(NAPKIN_LIBRARIES GLOBAL PROPERTY NAPKIN_LIBRARIES)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Napkin)
install(TARGETS ${NAPKIN_LIBRARIES} NapkinShared EXPORT NapkinTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Not where the loader looks: there it would hide a GPU's driver.
install(TARGETS NapkinDriver NapkinRuntime LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/napkin-driver)
install(PROGRAMS lib/Driver/ptxas DESTINATION ${CMAKE_INSTALL_LIBDIR}/napkin-driver)
# What a C++ compiler links by itself and a C compiler does not.
set(NAPKIN_CXX_RUNTIME ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
list(REMOVE_ITEM NAPKIN_CXX_RUNTIME ${CMAKE_C_IMPLICIT_LINK_LIBRARIES})
install(FILES docs/report.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/napkin)
foreach(tool napkin-opt napkinc napkin-run napkin-lsp-server napkin-reduce)
  if(TARGET ${tool})
    install(TARGETS ${tool} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
install(DIRECTORY include/napkin include/napkin-c DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
install(DIRECTORY ${CMAKE_BINARY_DIR}/include/napkin DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.inc" PATTERN "Version.h")
install(EXPORT NapkinTargets DESTINATION ${config_dir})
configure_package_config_file(cmake/NapkinConfig.cmake.in
  ${CMAKE_BINARY_DIR}/NapkinConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/NapkinConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/NapkinConfig.cmake
  ${CMAKE_BINARY_DIR}/NapkinConfigVersion.cmake DESTINATION ${config_dir})
