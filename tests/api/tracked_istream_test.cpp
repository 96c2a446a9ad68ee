// Tests of dlog/tracked_istream.hpp: nothing of what is read is changed, and the bar says how much it was.
#include "dlog/tracked_istream.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "dlog/dlog.hpp"
#include "support/catch.hpp"
#include "support/collecting.hpp"
#include "support/descriptors.hpp"
#include "support/fork.hpp"
#include "support/program.hpp"

namespace {

using namespace dlog::test;

// Runs it in a process of its own; what it says, and then the end of its bar as `state value/total unit`.
Words with_end(const std::function<void()>& body) {
  return lines_of(
      well(run_program({}, [&] {
        const auto told = std::make_shared<CollectingSink>();
        dlog::add_sink(told);
        body();
        dlog::flush();
        const Told end = told->collected.told().back();
        say(fmt::format("{} {}/{} {}", static_cast<int>(end.state), end.value, end.total, static_cast<int>(end.unit)));
      })).out);
}

std::string large_text() {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += fmt::format("line {}\n", i);
  return text;
}

}  // namespace

TEST_CASE("tracked istream: all of it, line by line") {
  CHECK(with_end([] {
          std::istringstream from(large_text());
          dlog::TrackedIstream in(from, "Reading");
          std::string all;
          for (std::string line; std::getline(in, line);) all += line + '\n';
          say(all == large_text() && in.eof() ? "the same" : "something else");
        }) == Words{"the same", "1 98890/98890 2"});
}

TEST_CASE("tracked istream: read(), a file, and from where it stands") {
  CHECK(with_end([] {
          const TemporaryFile file;
          { std::ofstream(file.path()) << large_text(); }
          std::ifstream from(file.path());
          from.seekg(90);
          dlog::TrackedIstream in(from, "Reading");
          std::string all(200'000, '?');
          in.read(all.data(), static_cast<std::streamsize>(all.size()));
          all.resize(static_cast<std::size_t>(in.gcount()));
          say(all == large_text().substr(90) ? "the same" : "something else");
        }) == Words{"the same", "1 98800/98800 2"});
}

TEST_CASE("tracked istream: what nobody took is given back, and the bar is abandoned") {
  CHECK(with_end([] {
          std::istringstream from("first\nsecond\n");
          std::string line;
          {
            dlog::TrackedIstream in(from, "Reading");
            std::getline(in, line);
          }
          std::getline(from, line);
          say(line);
        }) == Words{"second", "3 6/13 2"});
}

TEST_CASE("tracked istream: a given total, and a stream that is no good") {
  CHECK(with_end([] {
          std::istringstream from("abc");
          from.setstate(std::ios::failbit);
          dlog::TrackedIstream in(from, "Reading", 10);
          say(in.fail() ? "fails" : "reads");
        }) == Words{"fails", "3 0/10 2"});
  CHECK(with_end([] {
          std::istream without(nullptr);
          dlog::TrackedIstream in(without, "Reading");
          say(in.get() == std::istream::traits_type::eof() && !in.seekg(0) ? "nothing" : "something");
        }) == Words{"nothing", "1 0/0 2"});
}

TEST_CASE("tracked istream: positions are those of the other stream, and the bar follows") {
  CHECK(with_end([] {
          std::istringstream from("0123456789");
          from.seekg(2);
          dlog::TrackedIstream in(from, "Reading");
          const char first = static_cast<char>(in.get());
          say(fmt::format("{} at {}", first, static_cast<long>(in.tellg())));
          in.seekg(2, std::ios::cur);
          say(fmt::format("{}", static_cast<char>(in.get())));
          in.seekg(9);
          say(fmt::format("{}", static_cast<char>(in.get())));
          in.seekg(3);
          in.get();
        }) == Words{"2 at 3", "5", "9", "3 2/8 2"});
}

TEST_CASE("tracked istream: a pipe's length is not known, and a line is there when it is written") {
  CHECK(with_end([] {
          Ends pipe = make_pipe();
          std::ifstream from(fmt::format("/proc/self/fd/{}", pipe.ours.get()));
          CHECK(::write(pipe.theirs.get(), "one\n", 4) == 4);
          dlog::TrackedIstream in(from, "Reading");
          std::string line;
          std::getline(in, line);
          say(line);
          CHECK(::write(pipe.theirs.get(), "two\n", 4) == 4);
          pipe.theirs.reset();
          std::getline(in, line);
          say(line);
        }) == Words{"one", "two", "1 8/0 2"});
}
