# Finds moodycamel::ConcurrentQueue, in any of the places where packages put it:
#   Debian          <prefix>/include/concurrentqueue/concurrentqueue.h, no CMake config
#   upstream        <prefix>/include/concurrentqueue/moodycamel/concurrentqueue.h, CMake config `concurrentqueue`
#   a source tree   concurrentqueue.h
#
# Result: ConcurrentQueue_FOUND and the target ConcurrentQueue::ConcurrentQueue. Its include folder holds concurrentqueue.h
# itself, so that the source says <concurrentqueue.h> wherever it came from.

find_package(concurrentqueue CONFIG QUIET)
set(_hints "")
if(TARGET concurrentqueue::concurrentqueue)
  get_target_property(_hints concurrentqueue::concurrentqueue INTERFACE_INCLUDE_DIRECTORIES)
endif()

find_path(ConcurrentQueue_INCLUDE_DIR concurrentqueue.h
          HINTS ${_hints}
          PATH_SUFFIXES moodycamel concurrentqueue/moodycamel concurrentqueue
          DOC "Folder of concurrentqueue.h")
mark_as_advanced(ConcurrentQueue_INCLUDE_DIR)
unset(_hints)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ConcurrentQueue REQUIRED_VARS ConcurrentQueue_INCLUDE_DIR)

if(ConcurrentQueue_FOUND AND NOT TARGET ConcurrentQueue::ConcurrentQueue)
  add_library(ConcurrentQueue::ConcurrentQueue INTERFACE IMPORTED)
  target_include_directories(ConcurrentQueue::ConcurrentQueue SYSTEM INTERFACE "${ConcurrentQueue_INCLUDE_DIR}")
endif()
