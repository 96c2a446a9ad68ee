// Tests of bar_template.cpp: what a template says, and what is told of one that cannot be read.
#include "log/event/bar_template.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "support/catch.hpp"

namespace {

using dlog::event::BarField;
using dlog::event::BarTemplate;

// `text|#field:columns|...`, fields by their number.
std::string parts_of(std::string_view text) {
  const auto parsed = BarTemplate::parse(text);
  if (!parsed) return "fault: " + parsed.reason();
  std::string out;
  for (const BarTemplate::Part& part : (*parsed).parts) {
    if (!out.empty()) out += '|';
    if (part.field == BarField::literal) out += part.text;
    else out += fmt::format("#{}:{}", static_cast<int>(part.field), part.columns);
  }
  return out;
}

TEST_CASE("bar template: fields, widths and what stands between them") {
  CHECK(parts_of("") == "");
  CHECK(parts_of("just text") == "just text");
  CHECK(parts_of("{desc} {bar} {percent} {eta}") == "#2:0| |#4:0| |#5:0| |#11:0");
  CHECK(parts_of("{bar:30}{message:200}") == "#4:30|#12:200");
  CHECK(parts_of("[{source}]: {desc}!") == "[|#1:0|]: |#2:0|!");
}

TEST_CASE("bar template: every field has its name") {
  int number = 0;
  for (const char* name : {"source", "desc", "spinner", "bar", "percent", "value", "total", "amount", "rate", "elapsed",
                           "eta", "message", "state"}) {
    CHECK(parts_of(fmt::format("{{{}}}", name)) == fmt::format("#{}:0", ++number));
  }
}

TEST_CASE("bar template: a brace is written twice") {
  CHECK(parts_of("{{{desc}}}") == "{|#2:0|}");
  CHECK(parts_of("a}}b{{c") == "a}b{c");
}

TEST_CASE("bar template: what cannot be read is named") {
  CHECK(parts_of("{dsc}").starts_with("fault: there is no field {dsc} (fields: source desc "));
  CHECK(parts_of("{}").starts_with("fault: there is no field {}"));
  CHECK(parts_of("{desc").starts_with("fault: a { without its }"));
  CHECK(parts_of("desc}").starts_with("fault: a } without its {"));
  for (const char* width : {"0", "201", "x", "", "-1", "18446744073709551616"}) {
    CHECK(parts_of(fmt::format("{{bar:{}}}", width)) ==
          fmt::format("fault: {{bar:{}}}: the width is a number from 1 to 200", width));
  }
  CHECK(parts_of(std::string(1025, 'x')) == "fault: longer than 1024 bytes");
  CHECK(parts_of(std::string(1024, 'x')) == std::string(1024, 'x'));
  std::string many;
  for (int i = 0; i < 65; ++i) many += "{bar}";
  CHECK(parts_of(many) == "fault: more than 64 fields and what stands between them");
  CHECK(BarTemplate::fault_in("{desc}").empty());
  CHECK_FALSE(BarTemplate::fault_in("{").empty());
}

}  // namespace
