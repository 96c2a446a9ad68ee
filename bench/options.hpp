// A program's arguments, all of the form --name=value; one that nobody asked for ends the program.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace bench {

class Options {
 public:
  // `known`: the names that the program has, with their defaults.
  Options(int count, char** arguments, std::map<std::string, std::string, std::less<>> known)
      : values_(std::move(known)) {
    for (int i = 1; i < count; ++i) {
      const std::string_view argument = arguments[i];
      const std::size_t equals = argument.find('=');
      const auto found = argument.starts_with("--") && equals != std::string_view::npos
                             ? values_.find(argument.substr(2, equals - 2))
                             : values_.end();
      if (found == values_.end()) usage(arguments[0]);
      found->second = argument.substr(equals + 1);
    }
  }

  const std::string& text(std::string_view name) const { return values_.find(name)->second; }
  std::uint64_t number(std::string_view name) const { return std::strtoull(text(name).c_str(), nullptr, 10); }

 private:
  [[noreturn]] void usage(const char* program) const {
    std::fprintf(stderr, "usage: %s", program);
    for (const auto& [name, value] : values_) std::fprintf(stderr, " --%s=%s", name.c_str(), value.c_str());
    std::fputs("\n", stderr);
    std::exit(2);
  }

  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace bench
