# Run by ctest around the tests of a sanitized build: step=clear empties the folder of findings, step=show prints what the
# tests left there and fails if that is anything. Usage: cmake -D dir=<folder> -D step=clear|show -P findings.cmake
if(step STREQUAL "clear")
  file(REMOVE_RECURSE "${dir}")
  file(MAKE_DIRECTORY "${dir}")
  return()
endif()

file(GLOB findings "${dir}/*")
foreach(finding IN LISTS findings)
  file(READ "${finding}" text)
  message("${finding}:\n${text}")
endforeach()
list(LENGTH findings count)
if(count GREATER 0)
  message(FATAL_ERROR "${count} findings of the sanitizers")
endif()
