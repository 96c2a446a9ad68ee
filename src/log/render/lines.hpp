// Output that is no terminal: one line an event, no escape sequence, no carriage return. Bars speak when they start and end,
// and in between seldom: after 5 s and 5 %, and after 30 s in any case.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "log/render/record_line.hpp"
#include "log/render/renderer.hpp"

namespace dlog::render {

enum class LineFormat { plain, simple, json };
enum class BarLines { none, plain, simple, json };

class Lines : public Renderer {
 public:
  Lines(LineFormat format, BarLines bars, LineWords words) : format_(format), bars_(bars), records_(words) {}

  void accept(const Event& event, std::int64_t now_ns) override;
  std::int64_t due_ns() const override { return pending_.empty() ? never : 0; }
  void draw(std::string& out, std::int64_t now_ns, Size size) override;

  static constexpr std::int64_t step_ns = 5'000'000'000;
  static constexpr int step_percent = 5;
  static constexpr std::int64_t heartbeat_ns = 30'000'000'000;

 private:
  struct Told {
    std::int64_t at_ns = 0;
    int percent = 0;
  };
  bool worth_telling(const Event& event, std::int64_t now_ns);
  void tell(const Event& event);

  LineFormat format_;
  BarLines bars_;
  RecordLines records_;
  std::string pending_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Told> told_;  // by (source, bar)
};

}  // namespace dlog::render
