// From a call's copied arguments to its message: see captured.hpp.
#include "log/event/captured.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <vector>

#include "base/utf8.hpp"

namespace dlog::event {
namespace {

// Reads one value where no alignment is promised.
template <class T>
T take(const char*& from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  from += sizeof value;
  return value;
}

void push_argument(Arguments& store, capture::Code code, bool address, const char*& from) {
  using capture::Code;
  switch (code) {
    case Code::boolean: return store.push_back(take<bool>(from));
    case Code::character: return store.push_back(take<char>(from));
    case Code::int32: return store.push_back(take<std::int32_t>(from));
    case Code::uint32: return store.push_back(take<std::uint32_t>(from));
    case Code::int64: return store.push_back(static_cast<long long>(take<std::int64_t>(from)));
    case Code::uint64: return store.push_back(static_cast<unsigned long long>(take<std::uint64_t>(from)));
#ifdef __SIZEOF_INT128__
    case Code::int128: return store.push_back(take<capture::Int128>(from));
    case Code::uint128: return store.push_back(take<capture::Uint128>(from));
#else
    case Code::int128:
    case Code::uint128: return;
#endif
    case Code::float32: return store.push_back(take<float>(from));
    case Code::float64: return store.push_back(take<double>(from));
    case Code::float_long: return store.push_back(take<long double>(from));
    case Code::pointer: return store.push_back(take<const void*>(from));
    case Code::text: {
      const auto size = take<std::uint32_t>(from);
      if (address) return store.push_back(take<const void*>(from));
      store.push_back(fmt::string_view(from, size));
      from += size;
      return;
    }
  }
}

void format_error(std::string& out, std::string_view format, const char* reason) {
  out.assign(format).append(" [format error: ").append(reason).append("]");
}

}  // namespace

void format_now(std::string& out, std::string_view format, fmt::format_args arguments) {
  out.clear();
  try {
    fmt::memory_buffer buffer;
    fmt::vformat_to(fmt::appender(buffer), fmt::string_view(format.data(), format.size()), arguments);
    out.assign(buffer.data(), buffer.size());
  } catch (const std::exception& error) {
    format_error(out, format, error.what());
  } catch (...) {
    format_error(out, format, "not a std::exception");
  }
  limit_message(out);
}

void format_captured(std::string& out, Arguments& arguments, const capture::Site& site, const capture::Code* codes,
                     std::size_t count, const char* bytes) {
  arguments.clear();
  for (std::size_t i = 0; i < count; ++i) push_argument(arguments, codes[i], site.shows_address(i), bytes);
  format_now(out, {site.format, site.format_size}, arguments);
}

void format_at_once(std::string& out, const capture::Site& site, const void* const* addresses,
                    fmt::format_args arguments) {
  if (site.addresses == 0) return format_now(out, {site.format, site.format_size}, arguments);
  std::vector<fmt::basic_format_arg<fmt::format_context>> given;
  for (int i = 0; const auto argument = arguments.get(i); ++i) {
    const bool address = site.shows_address(static_cast<std::size_t>(i));
    given.push_back(address ? fmt::format_args(fmt::make_format_args(addresses[i])).get(0) : argument);
  }
  format_now(out, {site.format, site.format_size}, fmt::format_args(given.data(), static_cast<int>(given.size())));
}

void limit_message(std::string& message) {
  if (message.size() <= message_bytes_max) return;
  message.resize(utf8::cut(message, message_bytes_max).size());
  message += " [cut: longer than 1 MiB]";
}

}  // namespace dlog::event
