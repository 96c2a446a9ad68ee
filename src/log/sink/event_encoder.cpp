// Events as frames: see event_encoder.hpp.
#include "log/sink/event_encoder.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/civil_time.hpp"
#include "base/utf8.hpp"
#include "log/render/bar_words.hpp"
#include "log/render/visible.hpp"
#include "log/wire/format.hpp"

namespace dlog::sink {
namespace {

std::uint8_t level_number(Level level) { return std::min(static_cast<std::uint8_t>(level), wire::level_max); }

// The seed protocol's four frames and nothing else. Its parents close the connection on text that is not UTF-8.
class SeedEncoder final : public EventEncoder {
 public:
  explicit SeedEncoder(std::uint64_t id_base) : id_base_(id_base) {}

  void add_record(wire::Bytes& out, const Event& event) override {
    const Record& record = *event.record;
    if (const std::int64_t ms = event.time_ns / ns_per_ms; ms != time_ms_) {
      time_text_ = wire::timestamp(event.time_ns);
      time_ms_ = ms;  // last: there may be no memory for the text
    }
    const auto level = level_number(record.level);
    if (!record.notice && utf8::valid(record.message)) {
      wire::append_log(out, level, record.message, time_text_);
    } else {
      // The seed has no field for who speaks: a notice says it in its text.
      const std::string message = (record.notice ? "dlog: " : "") + render::valid_utf8(record.message);
      wire::append_log(out, level, message, time_text_);
    }
    ++records_;  // last: there may be no memory
  }

  void add_bar(wire::Bytes& out, const Event& event, const Bar* known) override {
    const Bar& bar = *event.bar;
    const std::uint64_t id = id_base_ + bar.id;
    if (known == nullptr) wire::append_create(out, id, render::valid_utf8(bar.description), bar.total);
    const std::uint64_t known_value = known == nullptr ? 0 : known->value;
    if (bar.value != known_value) wire::append_push(out, id, bar.value);
    if (bar.state == BarState::running) return;
    if (bar.state == BarState::failed || bar.state == BarState::abandoned) {
      // The seed's one way to end a bar is Finish: how it really ended is said as a record.
      const auto level = static_cast<std::uint8_t>(render::bar_level(bar.state));
      wire::append_log(out, level, render::bar_sentence(bar), wire::timestamp(event.time_ns));
    }
    wire::append_finish(out, id);
  }

 private:
  std::uint64_t id_base_;
  std::string time_text_;
  std::int64_t time_ms_ = -1;
};

// Version 2: all that an event holds. Text goes as it is, also where it is not UTF-8: the parent shows it escaped.
class ExtensionEncoder final : public EventEncoder {
 public:
  ExtensionEncoder(std::uint64_t id_base, Speaker speaker) : id_base_(id_base), speaker_(std::move(speaker)) {}

  void add_record(wire::Bytes& out, const Event& event) override {
    greet(out);
    const Record& record = *event.record;
    wire::RecordFrame frame{};
    frame.flags = record.notice ? wire::record_is_notice : std::uint8_t{0};
    frame.level = level_number(record.level);
    frame.site = site_of(out, record);
    frame.thread = record.thread;
    frame.time_ns = event.time_ns;
    frame.message = record.message;
    wire::append(out, frame);
    ++records_;  // last: there may be no memory
  }

  void add_bar(wire::Bytes& out, const Event& event, const Bar* known) override {
    greet(out);
    const Bar& bar = *event.bar;
    const std::uint64_t id = id_base_ + bar.id;
    if (known != nullptr && bar.state == BarState::running && same_but_for_value(*known, bar)) {
      if (known->value != bar.value) wire::append_push(out, id, bar.value);
      return;
    }
    wire::BarStateFrame frame{};
    frame.id = id;
    frame.parent = bar.parent == 0 ? 0 : id_base_ + bar.parent;
    frame.state = static_cast<std::uint8_t>(bar.state);
    frame.flags = bar.paused ? wire::bar_is_paused : std::uint8_t{0};
    frame.unit = static_cast<std::uint8_t>(bar.unit);
    frame.estimate = bar.estimate;
    frame.time_ns = event.time_ns;
    frame.value = bar.value;
    frame.total = bar.total;
    frame.description = bar.description;
    frame.message = bar.message;
    frame.bar_template = bar.bar_template;
    wire::append(out, frame);
  }

  bool is_answered() const override { return true; }
  void greet(wire::Bytes& out) override {
    if (greeted_) return;
    wire::append(out, wire::HelloFrame{wire::extension_version, speaker_.pid, speaker_.name, speaker_.token});
    greeted_ = true;
  }
  void add_flush(wire::Bytes& out, bool last, std::uint64_t number) override {
    wire::append(out, wire::FlushFrame{last ? wire::flush_is_last : std::uint8_t{0}, number, records_});
  }
  void add_watch(wire::Bytes& out) override { wire::append(out, wire::WatchFrame{}); }

  wire::Bytes said_once() const override {
    wire::Bytes out;
    for (std::size_t i = 0; i < places_.size(); ++i) append_site(out, places_[i], static_cast<std::uint32_t>(i + 1));
    return out;
  }

 private:
  // The texts live for ever, and those of one call at one address.
  struct Place {
    std::string_view file{};
    std::string_view function{};
    std::uint32_t line = 0;
  };
  struct Key {
    const char* file = nullptr;
    std::uint32_t line = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return (reinterpret_cast<std::uintptr_t>(key.file) ^ key.line) * 0x9E37'79B9'7F4A'7C15U;
    }
  };

  static bool same_but_for_value(const Bar& a, const Bar& b) {
    return a.state == b.state && a.total == b.total && a.unit == b.unit && a.parent == b.parent &&
           a.paused == b.paused && a.estimate == b.estimate && a.description == b.description &&
           a.message == b.message && a.bar_template == b.bar_template;
  }

  static void append_site(wire::Bytes& out, const Place& place, std::uint32_t number) {
    wire::append(out, wire::SiteFrame{number, place.line, place.file, place.function});
  }

  // The number of a record's place, which is told before it is used first. Most records come from the place of the one before.
  std::uint32_t site_of(wire::Bytes& out, const Record& record) {
    if (record.file.empty()) return 0;
    const Key key{record.file.data(), record.line};
    if (key == last_key_) return last_number_;
    if (const auto found = numbers_.find(key); found != numbers_.end()) {
      last_number_ = found->second;
    } else {
      last_key_ = {};  // in case of an exception on the way
      places_.push_back({record.file, record.function, record.line});
      last_number_ = static_cast<std::uint32_t>(places_.size());
      append_site(out, places_.back(), last_number_);
      numbers_.emplace(key, last_number_);
    }
    last_key_ = key;
    return last_number_;
  }

  std::uint64_t id_base_;
  Speaker speaker_;
  bool greeted_ = false;
  std::vector<Place> places_;  // number 1 is the first
  std::unordered_map<Key, std::uint32_t, KeyHash> numbers_;
  Key last_key_;
  std::uint32_t last_number_ = 0;
};

}  // namespace

std::unique_ptr<EventEncoder> seed_encoder(std::uint64_t id_base) { return std::make_unique<SeedEncoder>(id_base); }

std::unique_ptr<EventEncoder> extension_encoder(std::uint64_t id_base, Speaker speaker) {
  return std::make_unique<ExtensionEncoder>(id_base, std::move(speaker));
}

}  // namespace dlog::sink
