// Calendar fields and RFC 3339 text: see civil_time.hpp.
#include "base/civil_time.hpp"

#include <chrono>

namespace dlog {
namespace {

// Eats digits from the front of a text; remembers whether all went well.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  int digits(int count) noexcept {
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (!at_digit()) return fail();
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    return value;
  }
  bool at_digit() const noexcept { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }
  bool take(std::string_view one_of) noexcept {
    if (text_.empty() || one_of.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(std::string_view one_of) noexcept {
    if (!take(one_of)) fail();
  }
  // A fraction of a second in nanoseconds; what is finer is cut.
  int fraction() noexcept {
    int value = 0;
    int scale = 100'000'000;
    if (!at_digit()) return fail();
    for (; at_digit(); text_.remove_prefix(1), scale /= 10) value += (text_.front() - '0') * scale;
    return value;
  }
  int fail() noexcept {
    failed_ = true;
    return 0;
  }
  bool done() const noexcept { return !failed_ && text_.empty(); }

 private:
  std::string_view text_;
  bool failed_ = false;
};

}  // namespace

CivilTime civil_time(std::int64_t time_ns, std::int32_t utc_offset_s) noexcept {
  using namespace std::chrono;
  std::int64_t second = time_ns / ns_per_second;
  std::int64_t nanosecond = time_ns % ns_per_second;
  if (nanosecond < 0) nanosecond += ns_per_second, --second;
  second += utc_offset_s;
  std::int64_t day = second / 86'400;
  std::int64_t in_day = second % 86'400;
  if (in_day < 0) in_day += 86'400, --day;
  const year_month_day date{sys_days{days{day}}};
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(in_day / 3600),
          static_cast<int>(in_day / 60 % 60),
          static_cast<int>(in_day % 60),
          static_cast<int>(nanosecond)};
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) noexcept {
  using namespace std::chrono;
  Reader reader(text);
  const int y = reader.digits(4);
  reader.expect("-");
  const int mo = reader.digits(2);
  reader.expect("-");
  const int d = reader.digits(2);
  reader.expect("Tt ");
  const int h = reader.digits(2);
  reader.expect(":");
  const int mi = reader.digits(2);
  reader.expect(":");
  const int s = reader.digits(2);
  const int fraction = reader.take(".") ? reader.fraction() : 0;

  int offset_s = 0;
  if (!reader.take("Zz")) {
    const int sign = reader.take("-") ? -1 : (reader.expect("+"), 1);
    const int hours = reader.digits(2);
    reader.expect(":");
    const int minutes = reader.digits(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset_s = sign * (hours * 3600 + minutes * 60);
  }
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  // 60 is a leap second: RFC 3339 allows it.
  if (!reader.done() || !date.ok() || h > 23 || mi > 59 || s > 60 || y < 1678 || y > 2261) return std::nullopt;
  const std::int64_t whole =
      std::int64_t{sys_days{date}.time_since_epoch().count()} * 86'400 + h * 3600 + mi * 60 + s - offset_s;
  return whole * ns_per_second + fraction;
}

}  // namespace dlog
