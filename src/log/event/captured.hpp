// From a call's copied arguments to its message.
//
// Threads: any.
#pragma once

#include <fmt/args.h>
#include <fmt/core.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "dlog/capture.hpp"

namespace dlog::event {

// A longer message is cut, visibly.
inline constexpr std::size_t message_bytes_max = std::size_t{1} << 20;

// Formats `count` arguments of a call at `site`, as capture::put() laid them down at `bytes`, into `out`, whose content is
// replaced. A format error gives the raw format string and the reason. `arguments` is scratch memory, to be kept from call to call.
using Arguments = fmt::dynamic_format_arg_store<fmt::format_context>;
void format_captured(std::string& out, Arguments& arguments, const capture::Site& site, const capture::Code* codes,
                     std::size_t count, const char* bytes);

// The same for arguments that are still there. Where the site shows addresses, they are in the places of their arguments, and
// named arguments are not found.
void format_at_once(std::string& out, const capture::Site& site, const void* const* addresses,
                    fmt::format_args arguments);

// The same without a site.
void format_now(std::string& out, std::string_view format, fmt::format_args arguments);

// Cuts a message that is too long, between two characters, and says so at its end.
void limit_message(std::string& message);

}  // namespace dlog::event
