// From a call's copied arguments to its message: see captured.hpp.
#include "log/event/captured.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <cmath>
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

template <class T>
void append(fmt::memory_buffer& out, const T& value) {
  fmt::format_to(fmt::appender(out), FMT_COMPILE("{}"), value);
}

void append_text(fmt::memory_buffer& out, const char* text, std::size_t size) {
  const std::size_t before = out.size();
  out.resize(before + size);
  std::memcpy(out.data() + before, text, size);
}

template <class T>
void append_whole(fmt::memory_buffer& out, T value) {
  const fmt::format_int digits(value);
  append_text(out, digits.data(), digits.size());
}

// Most numbers that are logged are whole or have few decimals. Where one is the nearest double to a whole number of thousandths of
// at most 15 digits, those digits are the shortest that tell it apart: no two such numbers share a double.
void append_double(fmt::memory_buffer& out, double value) {
  constexpr double most = 1e11;
  const double size = std::fabs(value);
  const auto thousandths = size < most ? static_cast<std::uint64_t>(size * 1000 + 0.5) : 0;
  if (thousandths == 0 || static_cast<double>(thousandths) / 1000 != size) return append(out, value);
  if (value < 0) out.push_back('-');
  append_whole(out, thousandths / 1000);
  const auto rest = static_cast<unsigned>(thousandths % 1000);
  if (rest == 0) return;
  const char decimals[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                           static_cast<char>('0' + rest % 10)};
  append_text(out, decimals, rest % 10 != 0 ? 4 : rest % 100 != 0 ? 3 : 2);
}

// What {} shows. Never longer than fmt makes it, and quicker: nothing is parsed.
void append_argument(fmt::memory_buffer& out, capture::Code code, const char*& from) {
  using capture::Code;
  switch (code) {
    case Code::boolean: return append(out, take<bool>(from));
    case Code::character: return out.push_back(take<char>(from));
    case Code::int32: return append_whole(out, take<std::int32_t>(from));
    case Code::uint32: return append_whole(out, take<std::uint32_t>(from));
    case Code::int64: return append_whole(out, take<std::int64_t>(from));
    case Code::uint64: return append_whole(out, take<std::uint64_t>(from));
#ifdef __SIZEOF_INT128__
    case Code::int128: return append(out, take<capture::Int128>(from));
    case Code::uint128: return append(out, take<capture::Uint128>(from));
#else
    case Code::int128:
    case Code::uint128: return;
#endif
    case Code::float32: return append(out, take<float>(from));
    case Code::float64: return append_double(out, take<double>(from));
    case Code::float_long: return append(out, take<long double>(from));
    case Code::pointer: return append(out, take<const void*>(from));
    case Code::text: {
      const auto size = take<std::uint32_t>(from);
      append_text(out, from, size);
      from += size;
      return;
    }
  }
}

void format_plain(fmt::memory_buffer& out, const SiteEntry& site, const char* from) {
  const char* literal = site.plan.literals.data();
  const std::uint32_t* bytes = site.plan.literal_bytes.data();
  append_text(out, literal, *bytes);
  for (const capture::Code code : site.codes) {
    append_argument(out, code, from);
    literal += *bytes++;
    append_text(out, literal, *bytes);
  }
}

void format_error(fmt::memory_buffer& out, std::string_view format, std::string_view reason) {
  out.clear();
  for (const std::string_view part : {format, std::string_view(" [format error: "), reason, std::string_view("]")})
    out.append(part.data(), part.data() + part.size());
}

}  // namespace

void format_now(fmt::memory_buffer& out, std::string_view format, fmt::format_args arguments) {
  out.clear();
  try {
    fmt::vformat_to(fmt::appender(out), fmt::string_view(format.data(), format.size()), arguments);
  } catch (const std::exception& error) {
    format_error(out, format, error.what());
  } catch (...) {
    format_error(out, format, "not a std::exception");
  }
  limit_message(out);
}

void format_captured(fmt::memory_buffer& out, Arguments& arguments, const SiteEntry& site, const char* bytes) {
  if (site.plan.plain) {
    out.clear();
    format_plain(out, site, bytes);
    return limit_message(out);
  }
  arguments.clear();
  for (std::size_t i = 0; i < site.codes.size(); ++i)
    push_argument(arguments, site.codes[i], site.shows_address(i), bytes);
  format_now(out, site.format, arguments);
}

std::string_view captured_text(const char* bytes) noexcept {
  const auto size = take<std::uint32_t>(bytes);
  return {bytes, size};
}

void format_at_once(fmt::memory_buffer& out, const capture::Site& site, const void* const* addresses,
                    fmt::format_args arguments) {
  if (site.addresses == 0) return format_now(out, {site.format, site.format_size}, arguments);
  std::vector<fmt::basic_format_arg<fmt::format_context>> given;
  for (int i = 0; const auto argument = arguments.get(i); ++i) {
    const bool address = site.shows_address(static_cast<std::size_t>(i));
    given.push_back(address ? fmt::format_args(fmt::make_format_args(addresses[i])).get(0) : argument);
  }
  format_now(out, {site.format, site.format_size}, fmt::format_args(given.data(), static_cast<int>(given.size())));
}

std::string_view limited(fmt::memory_buffer& scratch, std::string_view message) {
  if (message.size() <= message_bytes_max) return message;
  scratch.clear();
  scratch.append(message.data(), message.data() + message_bytes_max + 1);
  limit_message(scratch);
  return text_in(scratch);
}

void limit_message(fmt::memory_buffer& message) {
  if (message.size() <= message_bytes_max) return;
  message.resize(utf8::cut(text_in(message), message_bytes_max).size());
  constexpr std::string_view told = " [cut: longer than 1 MiB]";
  message.append(told.data(), told.data() + told.size());
}

}  // namespace dlog::event
