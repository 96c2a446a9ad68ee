// Points in time as calendar fields and as RFC 3339 text, without a clock, a locale or a time zone table.
// Times are nanoseconds since 1970-01-01T00:00:00 UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dlog {

inline constexpr std::int64_t ns_per_second = 1'000'000'000;
inline constexpr std::int64_t ns_per_ms = 1'000'000;

struct CivilTime {
  int year, month, day, hour, minute, second, nanosecond;
};

// `utc_offset_s` is added first: seconds east of Greenwich.
CivilTime civil_time(std::int64_t time_ns, std::int32_t utc_offset_s = 0) noexcept;

// `YYYY-MM-DD`, `T`, `t` or a space, `HH:MM:SS`, optionally a fraction of any length, then `Z` or `±HH:MM`. Nothing where the
// text is something else, a field is out of its range, or the time is outside 1678..2261.
std::optional<std::int64_t> parse_rfc3339(std::string_view text) noexcept;

}  // namespace dlog
