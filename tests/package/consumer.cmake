# The consumers, the same for every way to come by dlog::dlog, and by dlog::channel beside it. Warnings in dlog's headers count as the consumer's own.
set(CMAKE_NO_SYSTEM_FROM_IMPORTED ON)
add_executable(consumer "${CMAKE_CURRENT_LIST_DIR}/consumer.cpp" "${CMAKE_CURRENT_LIST_DIR}/macros_consumer.cpp")
target_compile_options(consumer PRIVATE -Wall -Wextra -Werror)
target_link_libraries(consumer PRIVATE dlog::dlog)

add_executable(channel_consumer "${CMAKE_CURRENT_LIST_DIR}/channel/channel_consumer.cpp")
target_compile_options(channel_consumer PRIVATE -Wall -Wextra -Werror)
target_link_libraries(channel_consumer PRIVATE dlog::channel dlog::dlog)
