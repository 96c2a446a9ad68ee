# What dlog stands on: fmt (its users see it), threads, ConcurrentQueue (seen by one private source file only), for dlog::channel
# nlohmann-json (its users see it) and, for the tests, Catch2. Installed ones are used; nothing is downloaded unless DLOG_FETCH_DEPENDENCIES asks for it.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

set(dlog_missing "is not installed; install it or set DLOG_FETCH_DEPENDENCIES=ON")

if(DLOG_FETCH_DEPENDENCIES)
  include(FetchContent)
  set(FMT_INSTALL ${DLOG_INSTALL})  # an installed dlog needs the fmt that it was built with
  FetchContent_Declare(fmt GIT_REPOSITORY https://github.com/fmtlib/fmt.git GIT_TAG 11.0.2 GIT_SHALLOW ON
                       FIND_PACKAGE_ARGS 9...<12)
  FetchContent_MakeAvailable(fmt)
elseif(NOT TARGET fmt::fmt)  # a project around us may bring its own
  find_package(fmt 9...<12 QUIET)
endif()
if(NOT TARGET fmt::fmt)
  message(FATAL_ERROR "fmt 9, 10 or 11 ${dlog_missing}.")
endif()

find_package(ConcurrentQueue MODULE QUIET)
if(NOT ConcurrentQueue_FOUND AND DLOG_FETCH_DEPENDENCIES)
  # Header only and private: its sources are all we want, not its build.
  FetchContent_Declare(concurrentqueue GIT_REPOSITORY https://github.com/cameron314/concurrentqueue.git GIT_TAG v1.0.4
                       GIT_SHALLOW ON SOURCE_SUBDIR no_build)
  FetchContent_MakeAvailable(concurrentqueue)
  set(ConcurrentQueue_INCLUDE_DIR "${concurrentqueue_SOURCE_DIR}" CACHE PATH "Folder of concurrentqueue.h" FORCE)
  find_package(ConcurrentQueue MODULE QUIET)
endif()
if(NOT ConcurrentQueue_FOUND)
  message(FATAL_ERROR "moodycamel::ConcurrentQueue (concurrentqueue.h) ${dlog_missing}.")
endif()

if(DLOG_BUILD_CHANNEL)
  if(DLOG_FETCH_DEPENDENCIES)
    set(JSON_Install ${DLOG_INSTALL})
    FetchContent_Declare(nlohmann_json GIT_REPOSITORY https://github.com/nlohmann/json.git GIT_TAG v3.11.3 GIT_SHALLOW ON
                         FIND_PACKAGE_ARGS 3.11...<4)
    FetchContent_MakeAvailable(nlohmann_json)
  elseif(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json 3.11...<4 QUIET)
  endif()
  if(NOT TARGET nlohmann_json::nlohmann_json)
    message(FATAL_ERROR "nlohmann-json 3.11 or newer ${dlog_missing}, or set DLOG_BUILD_CHANNEL=OFF.")
  endif()
endif()

if(DLOG_BUILD_TESTS)
  if(DLOG_FETCH_DEPENDENCIES)
    FetchContent_Declare(Catch2 GIT_REPOSITORY https://github.com/catchorg/Catch2.git GIT_TAG v3.7.1 GIT_SHALLOW ON
                         FIND_PACKAGE_ARGS)
    FetchContent_MakeAvailable(Catch2)
  else()
    find_package(Catch2 QUIET)
  endif()
  if(NOT TARGET Catch2::Catch2)
    message(FATAL_ERROR "Catch2 (2.13 or 3) ${dlog_missing}, or set DLOG_BUILD_TESTS=OFF.")
  endif()
endif()
