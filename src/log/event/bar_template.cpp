// How a bar's row looks: see bar_template.hpp.
#include "log/event/bar_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/number.hpp"

namespace dlog::event {
namespace {

using Name = std::pair<std::string_view, BarField>;
constexpr std::array names{
    Name{"source", BarField::source},   Name{"desc", BarField::desc},       Name{"spinner", BarField::spinner},
    Name{"bar", BarField::bar},         Name{"percent", BarField::percent}, Name{"value", BarField::value},
    Name{"total", BarField::total},     Name{"amount", BarField::amount},   Name{"rate", BarField::rate},
    Name{"elapsed", BarField::elapsed}, Name{"eta", BarField::eta},         Name{"message", BarField::message},
    Name{"state", BarField::state},
};

std::optional<BarField> field_named(std::string_view name) {
  const auto* const found =
      std::find_if(names.begin(), names.end(), [&](const Name& each) { return each.first == name; });
  if (found == names.end()) return std::nullopt;
  return found->second;
}

std::string all_names() {
  std::string out;
  for (const Name& name : names) out.append(out.empty() ? "" : " ").append(name.first);
  return out;
}

// What stands between two braces.
Result<BarTemplate::Part> parse_field(std::string_view inside) {
  BarTemplate::Part part;
  const std::size_t colon = inside.find(':');
  const std::string_view name = inside.substr(0, colon);
  const auto field = field_named(name);
  if (!field) return Error{fmt::format("there is no field {{{}}} (fields: {})", name, all_names())};
  part.field = *field;
  if (colon == std::string_view::npos) return part;
  const auto columns = parse_unsigned(inside.substr(colon + 1));
  if (!columns || *columns == 0 || *columns > BarTemplate::columns_max)
    return Error{fmt::format("{{{}}}: the width is a number from 1 to {}", inside, BarTemplate::columns_max)};
  part.columns = static_cast<std::size_t>(*columns);
  return part;
}

}  // namespace

Result<BarTemplate> BarTemplate::parse(std::string_view text) {
  if (text.size() > bytes_max) return Error{fmt::format("longer than {} bytes", bytes_max)};
  BarTemplate out;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) out.parts.push_back({BarField::literal, std::exchange(literal, {}), 0});
  };
  while (!text.empty()) {
    const char c = text.front();
    const bool doubled = text.size() > 1 && text[1] == c;
    if ((c == '{' || c == '}') && doubled) {
      literal += c;
      text.remove_prefix(2);
    } else if (c == '}') {
      return Error{"a } without its {; a brace is written twice"};
    } else if (c == '{') {
      const std::size_t close = text.find('}');
      if (close == std::string_view::npos) return Error{"a { without its }; a brace is written twice"};
      auto part = parse_field(text.substr(1, close - 1));
      if (!part) return Error{part.reason()};
      end_literal();
      out.parts.push_back(std::move(*part));
      text.remove_prefix(close + 1);
    } else {
      literal += c;
      text.remove_prefix(1);
    }
  }
  end_literal();
  if (out.parts.size() > parts_max)
    return Error{fmt::format("more than {} fields and what stands between them", parts_max)};
  out.parts.shrink_to_fit();
  return out;
}

std::string BarTemplate::fault_in(std::string_view text) {
  const auto parsed = parse(text);
  return parsed ? std::string() : parsed.reason();
}

}  // namespace dlog::event
