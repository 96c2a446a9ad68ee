# The consumer, the same for every way to come by dlog::dlog. Warnings in dlog's headers count as the consumer's own.
set(CMAKE_NO_SYSTEM_FROM_IMPORTED ON)
add_executable(consumer "${CMAKE_CURRENT_LIST_DIR}/consumer.cpp" "${CMAKE_CURRENT_LIST_DIR}/macros_consumer.cpp")
target_compile_options(consumer PRIVATE -Wall -Wextra -Werror)
target_link_libraries(consumer PRIVATE dlog::dlog)
