# Installs headers, libraries, the CMake package `dlog` with its component `channel`, and the pkg-config files dlog.pc and dlog-channel.pc.
include(CMakePackageConfigHelpers)

# The public headers include fmt, and fmt's symbols carry its major version: a program that uses an installed dlog needs the
# same one. So the one in use here is written into both packages: as find_package found it or, where fmt is built as part
# of this project, as its header says (the header moved from core.h to base.h in fmt 11).
set(dlog_fmt_major "${fmt_VERSION_MAJOR}")
if(NOT dlog_fmt_major)
  get_target_property(dlog_fmt_dir fmt::fmt SOURCE_DIR)
  foreach(header base.h core.h)
    if(NOT dlog_fmt_major AND EXISTS "${dlog_fmt_dir}/include/fmt/${header}")
      file(STRINGS "${dlog_fmt_dir}/include/fmt/${header}" line REGEX "^#define FMT_VERSION [0-9]+" LIMIT_COUNT 1)
      string(REGEX REPLACE ".* ([0-9]+)[0-9][0-9][0-9][0-9].*" "\\1" dlog_fmt_major "${line}")
    endif()
  endforeach()
endif()
if(NOT dlog_fmt_major)
  message(FATAL_ERROR "The version of fmt is not known: dlog cannot be installed. Set DLOG_INSTALL=OFF to go without.")
endif()
math(EXPR dlog_fmt_next_major "${dlog_fmt_major} + 1")

set(dlog_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/dlog")

install(TARGETS dlog EXPORT dlogTargets)
set(dlog_header_of_another_library PATTERN channel.hpp EXCLUDE)
if(DLOG_BUILD_CHANNEL)
  install(TARGETS dlog_channel EXPORT dlogChannelTargets)
  install(EXPORT dlogChannelTargets NAMESPACE dlog:: DESTINATION "${dlog_package_dir}")
  unset(dlog_header_of_another_library)
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp" ${dlog_header_of_another_library})
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" TYPE DOC)

install(EXPORT dlogTargets NAMESPACE dlog:: DESTINATION "${dlog_package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/dlogConfig.cmake.in" "${PROJECT_BINARY_DIR}/dlogConfig.cmake"
                              INSTALL_DESTINATION "${dlog_package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change names.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/dlogConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/dlogConfig.cmake" "${PROJECT_BINARY_DIR}/dlogConfigVersion.cmake"
        DESTINATION "${dlog_package_dir}")

# The prefix is worked out from where dlog.pc stands, so that an installed copy can be moved or staged with DESTDIR.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(dlog_pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH dlog_pc_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" dlog_pc_to_prefix "${dlog_pc_to_prefix}")
  set(dlog_pc_prefix "\${pcfiledir}/${dlog_pc_to_prefix}")
endif()
set(dlog_pc_libdir "\${prefix}")
cmake_path(APPEND dlog_pc_libdir "${CMAKE_INSTALL_LIBDIR}")
set(dlog_pc_includedir "\${prefix}")
cmake_path(APPEND dlog_pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
set(dlog_pc_names dlog)
if(DLOG_BUILD_CHANNEL)
  list(APPEND dlog_pc_names dlog-channel)
endif()
foreach(name IN LISTS dlog_pc_names)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()
