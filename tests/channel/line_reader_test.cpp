// Tests of channel/line_reader: the same lines come out however the bytes come in, and of a line that is too long little is kept.
#include "channel/line_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using dlog::channel::LineReader;

// What was told, in words: "line@end", "long@begin", "over@end".
struct Told final : LineReader::Receiver {
  void take_line(std::string_view line, std::uint64_t ends_at) override { add(line, ends_at); }
  void take_long_line(std::uint64_t begins_at) override { add("<long>", begins_at); }
  void long_line_ends(std::uint64_t ends_at) override { add("<over>", ends_at); }
  void add(std::string_view what, std::uint64_t at) {
    words.append(words.empty() ? "" : " ").append(what).append("@").append(std::to_string(at));
  }
  std::string words{};
};

// Of the kept bytes only the number: for lines of megabytes.
struct Counted final : LineReader::Receiver {
  void take_line(std::string_view line, std::uint64_t) override { lines.push_back(line.size()); }
  void take_long_line(std::uint64_t) override { ++long_lines; }
  void long_line_ends(std::uint64_t) override { ++ended; }
  std::vector<std::size_t> lines{};
  int long_lines = 0;
  int ended = 0;
};

constexpr std::string_view stream = "one\n\nthree is long\n4\nfive\nrest";
constexpr std::string_view stream_words = "one@4 @5 <long>@5 <over>@19 4@21 five@26";

TEST_CASE("line reader: lines without their ends, with the places where they end") {
  LineReader reader(100);
  Told told;
  reader.take("a\nbc\n\ndef", told);
  CHECK(told.words == "a@2 bc@5 @6");
  CHECK(reader.bytes_taken() == 9);
  CHECK(reader.unfinished_bytes() == 3);
  reader.take("g\n", told);
  CHECK(told.words == "a@2 bc@5 @6 defg@11");
  CHECK(reader.bytes_taken() == 11);
  CHECK(reader.unfinished_bytes() == 0);
}

TEST_CASE("line reader: with each line it is known whether the next one is at hand as well") {
  struct Asking final : LineReader::Receiver {
    explicit Asking(LineReader& of) : reader(of) {}
    void take_line(std::string_view, std::uint64_t) override { more.push_back(reader.has_more()); }
    void take_long_line(std::uint64_t) override {}
    void long_line_ends(std::uint64_t) override {}
    LineReader& reader;
    std::vector<bool> more{};
  };
  LineReader reader(10);
  Asking asking(reader);
  reader.take("a\nb\nc", asking);
  CHECK(asking.more == std::vector<bool>{true, false});
  reader.take("d\ne\n", asking);
  CHECK(asking.more == std::vector<bool>{true, false, true, false});
  CHECK_FALSE(reader.has_more());
}

TEST_CASE("line reader: nothing makes no line") {
  LineReader reader(10);
  Told told;
  reader.take("", told);
  CHECK(told.words.empty());
  CHECK(reader.bytes_taken() == 0);
  CHECK(reader.unfinished_bytes() == 0);
}

TEST_CASE("line reader: bytes other than the newline are not looked at") {
  LineReader reader(10);
  Told told;
  reader.take(std::string_view("\r\0\xFF\n", 4), told);
  CHECK(told.words == std::string("\r\0\xFF@4", 5));
}

TEST_CASE("line reader: any two pieces give the same lines") {
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    CAPTURE(split);
    LineReader reader(5);
    Told told;
    reader.take(stream.substr(0, split), told);
    CHECK(reader.bytes_taken() == split);
    reader.take(stream.substr(split), told);
    CHECK(told.words == stream_words);
    CHECK(reader.bytes_taken() == stream.size());
    CHECK(reader.unfinished_bytes() == 4);
  }
}

TEST_CASE("line reader: any three pieces give the same lines") {
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      LineReader reader(5);
      Told told;
      reader.take(stream.substr(0, first), told);
      reader.take(stream.substr(first, second - first), told);
      reader.take(stream.substr(second), told);
      REQUIRE(told.words == stream_words);
    }
  }
}

TEST_CASE("line reader: single bytes give the same lines") {
  LineReader reader(5);
  Told told;
  for (std::size_t i = 0; i < stream.size(); ++i) reader.take(stream.substr(i, 1), told);
  CHECK(told.words == stream_words);
  CHECK(reader.bytes_taken() == stream.size());
}

TEST_CASE("line reader: a line of just the limit is taken, one byte more is too long") {
  for (const bool in_one_piece : {true, false}) {
    CAPTURE(in_one_piece);
    LineReader reader(8);
    Told told;
    const std::string_view bytes = "12345678\n123456789\n12345678\n";
    if (in_one_piece) reader.take(bytes, told);
    else
      for (std::size_t i = 0; i < bytes.size(); ++i) reader.take(bytes.substr(i, 1), told);
    CHECK(told.words == "12345678@9 <long>@9 <over>@19 12345678@28");
  }
}

TEST_CASE("line reader: a limit of nothing leaves empty lines") {
  LineReader reader(0);
  Told told;
  reader.take("\na\n\n", told);
  CHECK(told.words == "@1 <long>@1 <over>@3 @4");
}

TEST_CASE("line reader: a line is told to be too long as soon as that is seen, and once") {
  LineReader reader(4);
  Told told;
  reader.take("1234", told);
  CHECK(told.words.empty());
  reader.take("5", told);
  CHECK(told.words == "<long>@0");
  reader.take("678901234567890", told);
  reader.take("more", told);
  CHECK(told.words == "<long>@0");
  CHECK(reader.unfinished_bytes() == 24);
  reader.take("\nok\n", told);
  CHECK(told.words == "<long>@0 <over>@25 ok@28");
  CHECK(reader.unfinished_bytes() == 0);
}

TEST_CASE("line reader: two long lines in a row are two") {
  LineReader reader(2);
  Told told;
  reader.take("abc\ndefg\nh\n", told);
  CHECK(told.words == "<long>@0 <over>@4 <long>@4 <over>@9 h@11");
}

TEST_CASE("line reader: a gigabyte without a newline is counted, not kept") {
  LineReader reader(1000);
  Counted told;
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 1024; ++i) reader.take(piece, told);
  CHECK(told.long_lines == 1);
  CHECK(reader.unfinished_bytes() == std::size_t{1} << 30);
  CHECK(reader.bytes_taken() == std::uint64_t{1} << 30);
  reader.take("\nnext\n", told);
  CHECK(told.ended == 1);
  CHECK(told.lines == std::vector<std::size_t>{4});
}

TEST_CASE("line reader: a long line that was allowed comes whole, and short ones after it") {
  LineReader reader(1 << 20);
  Counted told;
  const std::string piece(1000, 'x');
  for (int i = 0; i < 1000; ++i) reader.take(piece, told);
  reader.take("\nab\nc", told);
  reader.take("\n", told);
  CHECK(told.lines == std::vector<std::size_t>{1'000'000, 2, 1});
  CHECK(told.long_lines == 0);
}

}  // namespace
