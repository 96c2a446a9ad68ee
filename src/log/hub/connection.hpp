// One child's connection: bytes to events, with the tolerance that docs/wire.md promises.
//
// Threads: the log thread. Lifetimes: an event's views are valid until the next call. Memory: one frame that is not whole, the
// texts of the bars that are open, and places in the source up to their limits.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/seeded_hash.hpp"
#include "dlog/event.hpp"
#include "log/hub/child_sites.hpp"
#include "log/hub/rate_limit.hpp"
#include "log/wire/decoder.hpp"
#include "log/wire/encoder.hpp"

namespace dlog::hub {

inline constexpr std::size_t bars_per_connection_max = 4096;
// Of a hello, where one is demanded: until it is there nothing else is kept.
inline constexpr std::size_t hello_bytes_max = 4096;
// Of all connections together.
inline constexpr std::size_t bars_open_max = 16'384;
inline constexpr std::size_t site_bytes_max = std::size_t{64} << 20;

class Connection {
 public:
  Connection(std::uint64_t id, Source self, std::uint16_t peer_port);

  // From now on nothing is heard of it before a hello that holds what `proves` accepts. Else it is turned away, unheard.
  using Proves = bool (*)(const void* context, std::string_view token);
  void demand_proof(Proves proves, const void* context) noexcept;
  // Whoever says that it is this very process must speak from within it: a second dlog, a plug-in's own. Else nobody is believed that.
  using IsHere = bool (*)(const void* context);
  void know_whence(IsHere is_here, const void* context) noexcept {
    is_here_ = is_here;
    is_here_context_ = context;
  }
  bool knocks() const noexcept { return stage_ == Stage::knocking; }
  bool turned_away() const noexcept { return turned_away_; }
  void turn_away() noexcept;

  // Of its records, and of the lines of its bars' starts and ends, only so many a second are taken; the others are counted as lost,
  // and told. 0: all.
  void limit_records(std::uint64_t per_second) noexcept { rate_.set(per_second); }
  // Some were lost so, and it was not told yet.
  bool owes_word() const noexcept { return rate_.untold() != 0; }
  // Says so; at most once a second, whoever asks.
  void give_word(std::int64_t wall_ns);

  // Who it is, as a hello says; it is then taken for introduced. For those whose name and number are known without one.
  void introduce(std::string_view name, std::uint32_t pid);

  // Bytes that came: received() says how much of room() was filled; ended() that no more will come.
  std::span<std::byte> room(std::size_t bytes) { return decoder_.space(bytes); }
  // They came by `arrival_ns`, and after `since_ns`.
  void received(std::size_t bytes, std::int64_t arrival_ns, std::int64_t since_ns) noexcept;
  void ended(std::int64_t arrival_ns, std::int64_t since_ns);

  // The next event of what came; false: none until more comes. Times of events never go back, are never later than their
  // arrival and never earlier than order_window_ns before they can have come, so that no child overtakes what is older. An event
  // without a time of its own stands as early as it can have come: it was sent some time before it is read.
  struct Arrival {
    Event event;
    std::int64_t order_ns = 0;  // where it stands among the events of others
  };
  bool next(Arrival& out);

  // The stream is at its end, or broken, and all that came of it has been handed out.
  bool finished() const noexcept { return stage_ == Stage::finished; }

  // Bytes of a frame that is not whole.
  std::size_t pending() const noexcept { return decoder_.pending(); }
  // Drops them, and hears no more.
  void give_up(std::string_view why);

  // What it keeps of what a child said, and how much of it there may be from now on.
  struct Kept {
    std::size_t bars = bars_per_connection_max;
    std::size_t site_bytes = site_bytes_per_connection_max;
  };
  Kept kept() const noexcept { return {bars_.size(), sites_.bytes()}; }
  void allow(Kept most) noexcept { allowed_ = most; }

  // What the child asked for and has not been answered: whether all that it said before is written, and for news. Asked when all
  // that stands before it has been handed out.
  struct Asked {
    std::optional<std::uint64_t> flush{};  // the latest one's number: its answer is that of the earlier ones, too
    bool news = false;
    bool any() const noexcept { return flush.has_value() || news; }
  };
  const Asked& asked() const noexcept { return asked_; }
  // Records that came.
  std::uint64_t records() const noexcept { return records_; }
  // Records of it that are lost already: they came too fast.
  std::uint64_t dropped() const noexcept { return rate_.refused(); }
  // The answer, but for what was lost; nothing is asked any more. `at_hand`: of the records that came, those that next() gave and
  // that were not delivered yet: the child must not take them for written.
  wire::FlushedFrame take_flush(std::uint64_t at_hand = 0) noexcept;
  void answer_news(wire::Bytes& out, bool last, Level level, std::uint64_t lost, std::uint64_t at_hand = 0);

  std::uint64_t id() const noexcept { return id_; }
  // Between two bursts: gives memory back.
  void rest() { decoder_.shrink(); }

  static constexpr std::int64_t order_window_ns = 5'000'000;

 private:
  // knocking: it has not proved that it may speak; orphaning: the bars that are open leave.
  enum class Stage { knocking, open, orphaning, finished };
  struct OpenBar {
    Bar bar{};  // but for its texts
    std::string description{};
    std::string message{};
    std::string bar_template{};
    std::uint64_t turn = 0;  // of its creation
  };

  void handle(const wire::LogFrame& frame);
  void handle(const wire::CreateFrame& frame);
  void handle(const wire::PushFrame& frame);
  void handle(const wire::FinishFrame& frame);
  void handle(const wire::HelloFrame& frame);
  void handle(const wire::SiteFrame& frame);
  void handle(const wire::RecordFrame& frame);
  void handle(const wire::BarStateFrame& frame);
  void handle(const wire::FlushFrame& frame);
  void handle(const wire::WatchFrame& frame);
  void handle(const wire::FlushedFrame& frame);
  void handle(const wire::NewsFrame& frame);
  void handle(const wire::UnknownFrame& frame);
  bool admit_record();
  bool admit_line();
  void give_last_word();
  void tell_dropped(std::uint64_t count);
  void set_record(std::uint8_t level, std::string_view message);
  // Room for one more open bar; null: there is none, or it comes too fast.
  OpenBar* open_bar(std::uint64_t id);
  bool read_frame();
  bool read_proof();
  bool orphan_next_bar();
  bool hand_out(Arrival& out);
  using Bars = std::unordered_map<std::uint64_t, OpenBar, SeededHash>;
  OpenBar& end_bar(Bars::iterator bar);
  BarState end_of(BarState said);
  void emit_bar(std::uint64_t id, const OpenBar& bar, BarState state, bool created);
  void notice_once(bool& told, std::string text);
  void notice(std::string text);
  bool take_notice(Arrival& out);

  std::uint64_t id_;
  Source self_;    // for notices
  Source source_;  // the child, but for its name
  std::string name_ = "child";
  bool introduced_ = false;
  ChildSites sites_;
  wire::Decoder decoder_;
  Stage stage_ = Stage::open;
  bool ended_ = false;       // no more bytes will come, whole frames may still be there
  Proves proves_ = nullptr;  // what a hello must hold, as long as it knocks
  const void* proves_context_ = nullptr;
  IsHere is_here_ = nullptr;
  const void* is_here_context_ = nullptr;
  bool turned_away_ = false;
  bool gave_up_ = false;  // what the decoder has is to be dropped
  std::int64_t arrival_ns_ = 0;
  std::int64_t since_ns_ = 0;
  std::int64_t last_order_ns_ = 0;

  std::string last_time_text_;  // of the latest record, and what it meant
  std::optional<std::int64_t> last_time_ns_;

  bool have_event_ = false;  // record_ or bar_ holds one
  bool is_record_ = false;
  Record record_;
  Bar bar_;
  std::int64_t event_ns_ = 0;
  std::int64_t event_order_ns_ = 0;
  std::uint64_t bars_created_ = 0;
  std::vector<std::uint64_t> orphans_;  // ids of bars that are still to leave, the first created last
  OpenBar ended_bar_;                   // keeps the texts of a bar that has left the table
  fmt::memory_buffer cut_message_;      // keeps the text of a message that was too long
  std::vector<std::string> notices_;
  std::string notice_text_;
  Record notice_record_;

  Bars bars_;
  Kept allowed_{};
  Asked asked_{};
  std::uint64_t records_ = 0;
  RateLimit rate_;
  bool told_unknown_frame_ = false;
  bool told_unknown_bar_ = false;
  bool told_too_many_bars_ = false;
  bool told_too_many_sites_ = false;
  bool told_second_hello_ = false;
  bool told_miscounted_ = false;
};

}  // namespace dlog::hub
