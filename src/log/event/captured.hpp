// From a call's copied arguments to its message.
//
// Threads: any.
#pragma once

#include <fmt/args.h>
#include <fmt/core.h>
#include <fmt/format.h>

#include <cstddef>
#include <string_view>

#include "dlog/capture.hpp"
#include "log/event/site_table.hpp"

namespace dlog::event {

// A longer message is cut, visibly.
inline constexpr std::size_t message_bytes_max = std::size_t{1} << 20;

// Formats the arguments of a call, as capture::put() laid them down at `bytes`, into `out`, whose content is replaced. A format
// error gives the raw format string and the reason. `arguments` is scratch memory, to be kept from call to call.
using Arguments = fmt::dynamic_format_arg_store<fmt::format_context>;
void format_captured(fmt::memory_buffer& out, Arguments& arguments, const SiteEntry& site, const char* bytes);

// The only argument, which is text.
std::string_view captured_text(const char* bytes) noexcept;

// The same for arguments that are still there. Where the site shows addresses, they are in the places of their arguments, and
// named arguments are not found.
void format_at_once(fmt::memory_buffer& out, const capture::Site& site, const void* const* addresses,
                    fmt::format_args arguments);

// The same without a site.
void format_now(fmt::memory_buffer& out, std::string_view format, fmt::format_args arguments);

// Cuts a message that is too long, between two characters, and says so at its end.
void limit_message(fmt::memory_buffer& message);
// The message, or where it is too long a cut copy in `scratch`.
std::string_view limited(fmt::memory_buffer& scratch, std::string_view message);

inline std::string_view text_in(const fmt::memory_buffer& buffer) noexcept { return {buffer.data(), buffer.size()}; }

}  // namespace dlog::event
