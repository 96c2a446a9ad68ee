# How dlog's own targets are compiled: language, warnings, sanitizers. Nothing here reaches those who link dlog, but for
# the language level, which the public headers need.

# Position-independent always: a static dlog may end in somebody's shared library.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

function(dlog_compile_settings target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
                                           -Wcast-qual -Wnon-virtual-dtor -Woverloaded-virtual -Wundef)
  if(DLOG_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

if(DLOG_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "DLOG_FUZZ needs clang++: its libFuzzer drives the fuzz targets.")
  endif()
  if(NOT DLOG_SANITIZE)
    set(DLOG_SANITIZE "address,undefined")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(DLOG_SANITIZE)
  # No recovery: a program with a finding ends with a failure, so that no test can pass over it.
  # No check of dynamic types: it opens a pipe for each, and some tests leave none to be opened.
  add_compile_options(-fsanitize=${DLOG_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DLOG_SANITIZE})
endif()
