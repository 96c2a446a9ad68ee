// The records that every logger is given, and the search for them in its file afterwards.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// 8 to 15 bytes, as host names have: the short ones fit into std::string itself, and none is a constant to the compiler.
inline constexpr std::size_t name_count = 64;
inline const std::vector<std::string>& names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < name_count; ++i) made.push_back("10.0.0." + std::string(1 + i % 8, '7'));
    return made;
  }();
  return all;
}

// Every record carries a number of its own behind this word.
inline constexpr std::string_view record_a_word = "request ";
inline constexpr std::string_view three_ints_word = "point ";

struct Found {
  std::uint64_t lost = 0;    // numbers below `expected` that no line carries
  std::uint64_t extra = 0;   // lines with the word beyond those
  std::uint64_t others = 0;  // lines without the word
};

// Which of the numbers 0 to `expected` - 1 stand in the file, one a line, behind `word`?
class Search {
 public:
  Search(std::string_view word, std::uint64_t expected) : word_(word), seen_(expected), lost_(expected) {}

  void line(std::string_view text) {
    const std::size_t at = text.find(word_);
    if (at == std::string_view::npos) {
      ++found_.others;
      return;
    }
    std::uint64_t number = 0;
    bool any = false;
    for (const char c : text.substr(at + word_.size())) {
      if (c < '0' || c > '9') break;
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
      any = true;
    }
    if (!any || number >= seen_.size() || seen_[number]) {
      ++found_.extra;
      return;
    }
    seen_[number] = true;
    --lost_;
  }

  Found found() const { return {lost_, found_.extra, found_.others}; }

 private:
  std::string_view word_;
  std::vector<bool> seen_;
  std::uint64_t lost_;
  Found found_;
};

inline Found find_records(const std::string& file, std::string_view word, std::uint64_t expected) {
  Search search(word, expected);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "r"), &std::fclose);
  if (!stream) return search.found();
  std::string rest;
  std::vector<char> buffer(std::size_t{1} << 20);
  for (;;) {
    const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), stream.get());
    if (size == 0) break;
    rest.append(buffer.data(), size);
    std::size_t begin = 0;
    for (std::size_t end; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
      search.line(std::string_view(rest).substr(begin, end - begin));
    }
    rest.erase(0, begin);
  }
  return search.found();
}

}  // namespace bench
