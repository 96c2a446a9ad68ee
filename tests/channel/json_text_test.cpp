// Tests of channel/json_text: what is JSON goes out and comes back the same, and what is not is refused in both directions.
#include "channel/json_text.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using namespace std::string_view_literals;

// The value as nlohmann writes it, or why there is none.
std::string read(std::string_view text) {
  Expected<Json> value = parse_json(text);
  if (value) return value->dump();
  CHECK(value.error().code == ErrorCode::bad_message);
  CHECK_FALSE(value.error().reason.empty());
  return "refused";
}

std::string reason(std::string_view text) {
  Expected<Json> value = parse_json(text);
  return value ? "none" : value.error().reason;
}

std::string written(const Json& value) {
  Expected<std::string> text = json_text(value);
  if (text) return *text;
  CHECK(text.error().code == ErrorCode::bad_value);
  return "refused: " + text.error().reason;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out.append(text);
  return out;
}

std::string arrays(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }
std::string objects(std::size_t depth) { return repeated("{\"a\":", depth) + "1" + std::string(depth, '}'); }

Json built_arrays(std::size_t depth) {
  Json value = Json::array();
  for (std::size_t i = 1; i < depth; ++i) {
    Json outer = Json::array();
    outer.push_back(std::move(value));
    value = std::move(outer);
  }
  return value;
}

TEST_CASE("json text: every kind of value comes back as it went out") {
  for (const std::string_view text :
       {"null"sv, "true"sv, "false"sv, "0"sv, "-1"sv, "1.5"sv, "-2.5e-7"sv, "1e+300"sv, "\"\""sv, "\"text\""sv,
        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\""sv, "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\""sv, "[]"sv, "{}"sv,
        "[1,[2,[3]],{\"b\":[null]}]"sv, "{\"\":{\"a\":{},\"b\":[true,false]}}"sv}) {
    CAPTURE(text);
    Expected<Json> value = parse_json(text);
    REQUIRE(value);
    Expected<std::string> again = json_text(*value);
    REQUIRE(again);
    Expected<Json> twice = parse_json(*again);
    REQUIRE(twice);
    CHECK((*twice == *value));
    CHECK(again->find('\n') == std::string::npos);
  }
}

TEST_CASE("json text: kinds stay what they are") {
  CHECK(parse_json("1")->is_number_unsigned());
  CHECK(parse_json("-1")->is_number_integer());
  CHECK(parse_json("1.0")->is_number_float());
  CHECK(parse_json("null")->is_null());
  CHECK(parse_json("true")->is_boolean());
  CHECK(parse_json("\"1\"")->is_string());
  CHECK(parse_json("[]")->is_array());
  CHECK(parse_json("{}")->is_object());
}

TEST_CASE("json text: blanks around and between are no part of the value") {
  CHECK(read(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n") == "{\"a\":[1,2]}");
}

TEST_CASE("json text: a later key does not go where an earlier one's value stands") {
  CHECK(read(R"({"a":{"b":[{"c":1},{"d":2}],"e":3},"f":[],"g":[[4],{"h":5}],"i":6})") ==
        R"({"a":{"b":[{"c":1},{"d":2}],"e":3},"f":[],"g":[[4],{"h":5}],"i":6})");
}

TEST_CASE("json text: whole numbers are exact to the limits of 64 bits") {
  CHECK(read("9223372036854775807") == "9223372036854775807");
  CHECK(read("-9223372036854775808") == "-9223372036854775808");
  CHECK(read("18446744073709551615") == "18446744073709551615");
  CHECK(parse_json("18446744073709551615")->get<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
  CHECK(parse_json("-9223372036854775808")->get<std::int64_t>() == std::numeric_limits<std::int64_t>::min());
  CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("json text: a whole number beyond 64 bits is the nearest double, as in JavaScript") {
  Expected<Json> above = parse_json("18446744073709551616");
  REQUIRE(above);
  REQUIRE(above->is_number_float());
  CHECK(above->get<double>() == 18446744073709551616.0);
  Expected<Json> below = parse_json("-9223372036854775809");
  REQUIRE(below);
  CHECK(below->get<double>() == -9223372036854775808.0);
}

TEST_CASE("json text: a number that no double can hold is refused, one too small to tell from nothing is zero") {
  CHECK(read("1e308") == "1e+308");
  CHECK(read("1e999") == "refused");
  CHECK(read("-1e999") == "refused");
  CHECK(read("[1e999]") == "refused");
  CHECK(parse_json("1e-999")->get<double>() == 0.0);
}

TEST_CASE("json text: numbers that JSON does not know are refused") {
  for (const std::string_view text :
       {"NaN"sv, "Infinity"sv, "-Infinity"sv, "01"sv, "+1"sv, ".5"sv, "1."sv, "0x10"sv, "1e"sv, "-"sv, "1_000"sv}) {
    CAPTURE(text);
    CHECK(read(text) == "refused");
  }
}

TEST_CASE("json text: a number that is none is null, as in JavaScript") {
  CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(written(std::numeric_limits<double>::infinity()) == "null");
  CHECK(written(Json::array({1, -std::numeric_limits<double>::infinity()})) == "[1,null]");
}

TEST_CASE("json text: doubles come back bit for bit") {
  for (const double value : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 123456789.123456789}) {
    CAPTURE(value);
    Expected<Json> back = parse_json(written(value));
    REQUIRE(back);
    CHECK(back->get<double>() == value);
    CHECK(std::signbit(back->get<double>()) == std::signbit(value));
  }
}

TEST_CASE("json text: 64 levels are read and written, 65 are not") {
  CHECK(read(arrays(64)) == arrays(64));
  CHECK(read(objects(64)) == objects(64));
  CHECK(read(arrays(65)) == "refused");
  CHECK(read(objects(65)) == "refused");
  CHECK(reason(arrays(65)) == "nested deeper than 64");

  CHECK(written(built_arrays(64)) == arrays(64));
  CHECK(written(built_arrays(65)) == "refused: nested deeper than 64, with the envelope");
  Json object = 1;
  for (int i = 0; i < 64; ++i) object = Json{{"a", std::move(object)}};
  CHECK(written(object) == objects(64));
  CHECK(written(Json{{"a", std::move(object)}}) == "refused: nested deeper than 64, with the envelope");
}

TEST_CASE("json text: depth is counted along one path, not over all") {
  std::string wide = "[";
  for (int i = 0; i < 100; ++i) wide.append(i == 0 ? "" : ",").append(arrays(63));
  wide += "]";
  CHECK(read(wide) == wide);
  CHECK(read("[" + arrays(63) + "," + arrays(64) + "]") == "refused");
}

TEST_CASE("json text: a million levels are refused at the sixty-fifth") {
  CHECK(reason(std::string(1'000'000, '[')) == "nested deeper than 64");
  CHECK(reason(repeated("{\"a\":", 1'000'000)) == "nested deeper than 64");
  CHECK(reason(repeated("[{\"a\":", 500'000)) == "nested deeper than 64");
}

TEST_CASE("json text: a value of a hundred thousand levels is refused, and nothing overflows") {
  CHECK(written(built_arrays(100'000)) == "refused: nested deeper than 64, with the envelope");
}

TEST_CASE("json text: the same key twice is refused, however it is written and wherever it stands") {
  CHECK(read(R"({"a":1,"a":2})") == "refused");
  CHECK(read(R"({"a":1,"a":1})") == "refused");
  CHECK(read(R"({"a":1,"\u0061":2})") == "refused");
  CHECK(read(R"({"\u0061":1,"a":2})") == "refused");
  CHECK(read(R"([{"x":[{"b":1,"c":2,"b":3}]}])") == "refused");
  CHECK(read(R"({"":1,"":2})") == "refused");
  CHECK(reason(R"({"a":1,"\u0061":2})") == "the key \"a\" comes twice in an object");
}

TEST_CASE("json text: the same key in different objects is no fault") {
  CHECK(read(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})") == R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})");
  CHECK(read(R"({"a":1,"A":2})") == R"({"A":2,"a":1})");
}

TEST_CASE("json text: a long key that comes twice does not make a long reason") {
  const std::string key(1'000'000, 'k');
  const std::string text = reason("{\"" + key + "\":1,\"" + key + "\":2}");
  CHECK(text.size() < 200);
  CHECK(text.find("comes twice") != std::string::npos);
}

TEST_CASE("json text: what is no UTF-8 is refused") {
  for (const std::string_view text :
       {"\"\xFF\""sv, "\"\x80\""sv, "\"\xC3\""sv, "\"\xC0\xAF\""sv, "\"\xE2\x82\""sv, "\"\xED\xA0\x80\""sv,
        "\"\xF4\x90\x80\x80\""sv, "\"\xF8\x88\x80\x80\x80\""sv, "{\"\xFF\":1}"sv, "\xFF"sv}) {
    CAPTURE(text);
    CHECK(read(text) == "refused");
  }
}

TEST_CASE("json text: half a surrogate pair is refused, a whole one is the character") {
  CHECK(read(R"("\ud83d\ude00")") == "\"\xF0\x9F\x98\x80\"");
  for (const std::string_view text : {R"("\ud83d")"sv, R"("\ude00")"sv, R"("\ud83dx")"sv, R"("\ud83d\ud83d")"sv,
                                      R"("\ude00\ud83d")"sv, R"("\ud83d\u0041")"sv, R"({"\ud83d":1})"sv}) {
    CAPTURE(text);
    CHECK(read(text) == "refused");
  }
}

TEST_CASE("json text: nothing may stand behind the value") {
  for (const std::string_view text :
       {"1 2"sv, "{} {}"sv, "[]]"sv, "null,"sv, "\"a\"b"sv, "truex"sv, "1\0"sv, "1\0 2"sv, "{}\0}"sv}) {
    CAPTURE(text);
    CHECK(read(text) == "refused");
  }
}

TEST_CASE("json text: what is no value or not the whole of one is refused") {
  for (const std::string_view text :
       {""sv,          " "sv,        "{"sv,        "["sv,        "\"a"sv,     "[1,]"sv,   "{\"a\"}"sv,
        "{\"a\":}"sv,  "{a:1}"sv,    "{'a':1}"sv,  "nul"sv,      "// 1\n1"sv, "/* */1"sv, "\"\\x\""sv,
        "\"\\u12\""sv, "\"a\tb\""sv, "\"\x01\""sv, "\"a\nb\""sv, "]"sv,       "\"\0\""sv}) {
    CAPTURE(text);
    CHECK(read(text) == "refused");
  }
}

TEST_CASE("json text: text that is no UTF-8, bytes and what was discarded cannot be written") {
  CHECK(written("\xFF") == "refused: a text in it is no UTF-8");
  CHECK(written(Json{{"\xC3", 1}}) == "refused: a text in it is no UTF-8");
  CHECK(written(Json::binary({1, 2, 3})) == "refused: bytes have no JSON");
  CHECK(written(Json::array({1, Json::object({{"a", Json::binary({})}})})) == "refused: bytes have no JSON");
  CHECK(written(Json(Json::value_t::discarded)) == "refused: it is what a parser gave up");
}

TEST_CASE("json text: what is written stands on one line, whatever is in it") {
  CHECK(written(Json{{"a\nb", "c\r\nd"}}) == R"({"a\nb":"c\r\nd"})");
}

}  // namespace
