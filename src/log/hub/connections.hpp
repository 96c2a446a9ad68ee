// All children: the listener, their sockets, and their events merged by time.
//
// Threads: the log thread. Limits: connections_max, and what Connection holds; in a turn each ready connection is read up to
// an even share of turn_bytes_max, so that a flooding child does not keep the others waiting.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "log/hub/admission.hpp"
#include "log/hub/connection.hpp"
#include "log/wire/encoder.hpp"
#include "os/poller.hpp"
#include "os/socket.hpp"

namespace dlog::hub {

inline constexpr std::size_t connections_max = 4096;
// Frames that are not whole, of all connections together: whoever exceeds it is closed.
inline constexpr std::size_t held_bytes_max = std::size_t{64} << 20;
inline constexpr std::size_t small_piece_bytes = 512;                   // one receive: most have no more to say
inline constexpr std::size_t piece_bytes = std::size_t{64} << 10;       // and one after a receive that was full
inline constexpr std::size_t share_bytes_max = std::size_t{256} << 10;  // of one connection in a turn
inline constexpr std::size_t turn_bytes_max = std::size_t{4} << 20;  // of all; once they are read no others are asked
// Who must prove that he may speak has so long for it, and of other users so many may try at a time, the latest: it costs others
// nothing. Those of this user are bounded by connections_max.
inline constexpr std::int64_t knock_ns_max = 2'000'000'000;
inline constexpr std::size_t knocking_max = 256;

inline constexpr std::size_t ready_max = 64;  // asked at a time: shares are not below piece_bytes
// As far as order goes nothing has come longer than this before it is read, unless nobody looked for longer: a bound for wrong
// clocks.
inline constexpr std::int64_t late_ns_max = 10'000'000'000;

class Connections {
 public:
  // The poller must outlive it. `self` speaks in notices. Nobody has come before `wall_ns`.
  Connections(os::Poller& poller, Source self, os::Listening listening, Admission admission, std::int64_t wall_ns);

  // What a child's level is compared with from the beginning.
  void begin_at(Level level) noexcept { level_ = level; }
  // Of each child that comes from now on only so many records a second are taken; 0: all.
  void limit_records(std::uint64_t per_second) noexcept { records_per_second_ = per_second; }

  std::uint16_t port() const noexcept { return port_; }
  std::uint64_t cookie() const noexcept { return cookie_; }

  // Asks the poller, takes new connections, and reads a share of each that is ready. Within the limits of a turn, all that was
  // sent before the call is there afterwards. Returns how many were ready.
  std::size_t serve(std::int64_t now_ns, std::int64_t wall_ns);

  // The earliest event that is there: its place in time.
  bool waiting() const noexcept { return !heads_.empty(); }
  std::int64_t earliest_ns() const noexcept { return heads_.top().order_ns; }
  // Hands it to `deliver`, and all that stand up to `limit_ns`; or stops behind the one after which `enough()`.
  template <class Deliver, class Enough = std::false_type>
  void take_until(std::int64_t limit_ns, Deliver deliver, Enough enough = {}) {
    do {
      Peer& peer = *heads_.top().peer;
      heads_.pop();
      // A connection goes on as long as no other was earlier: most have more than one to say.
      const std::int64_t until = heads_.empty() ? limit_ns : std::min(limit_ns, heads_.top().order_ns);
      for (bool more = true; more;) {
        taking_ = &peer;
        deliver(peer.head.event);
        if (std::exchange(taking_, nullptr) == nullptr) return;  // it was finished within
        const bool stop = enough();
        peer.has_head = false;
        more = fetch(peer);
        if (more && (stop || peer.head.order_ns > until)) more = (put(peer), false);
        if (stop) return;
      }
    } while (!heads_.empty() && heads_.top().order_ns <= limit_ns);
  }
  // The rest of it, to be called where deliver() never returns to it.
  void finish_take() {
    Peer* const peer = std::exchange(taking_, nullptr);
    if (peer == nullptr) return;
    peer->has_head = false;
    advance(*peer);
  }

  // The program has closed what the poller works with, and maybe sockets: here is another. What is still there is watched by it; the
  // others have ended.
  void go_on_with(os::Poller& poller);

  // When serve() wants to be called though nothing is ready (monotonic); Outlet::never: not at all.
  std::int64_t due_ns() const noexcept;

  // A sentence of dlog's own, at most one of each kind; empty: no further one since it was last asked.
  std::string take_complaint();

  std::size_t open() const noexcept { return peers_.size(); }
  std::uint64_t refused() const noexcept { return refused_; }
  std::uint64_t bytes_read() const noexcept { return bytes_read_; }

  // Children asked whether what they said is written.
  bool asked_to_flush() const noexcept { return !flushes_.empty(); }
  // The questions up to now; to be answered when all that was handed out by now is written.
  void take_flushes();
  // `lost_of(id)`: how many records of a connection could not be written.
  template <class LostOf>
  void answer_flushes(LostOf lost_of) {
    for (const Question& question : std::exchange(questions_, {})) {
      const auto found = peers_.find(question.id);
      if (found != peers_.end()) answer_flush(*found->second, question.answer, lost_of(question.id));
    }
  }
  // Whoever asked for news is told the level where it is another one than when it asked; or, at the end of this process, how much
  // of it was heard, and is then heard no more: what came after that it shows itself.
  template <class LostOf>
  void tell_news(Level level, bool last, LostOf lost_of) {
    if (level == level_ && !last && !std::exchange(news_due_, false)) return;
    level_ = level;
    std::vector<std::uint64_t> ids;
    for (const auto& [id, peer] : peers_) {
      if (peer->watches && (last || peer->level_told != level)) ids.push_back(id);
    }
    std::erase_if(ids, [&](std::uint64_t id) { return !answer_news(*peers_.at(id), last, lost_of(id)); });
    if (last) part_with(ids);
  }

  // At the end: which connections have been read to the end of what had come, since begin_hearing_out().
  void begin_hearing_out();
  bool all_heard_out() const;
  // From now on only those are read that no process has any more: what they left is bounded.
  void hear_only_the_dead();
  void hear_all_again() noexcept { only_the_dead_ = false; }
  bool dead_heard_out() const;

  // After a fork, in the child: closes every descriptor, and touches nothing that another thread may have been changing.
  void abandon() noexcept;

 private:
  struct Peer {
    Peer(os::Descriptor descriptor, Connection given) : socket(std::move(descriptor)), connection(std::move(given)) {}
    // The child's own: what we remark on it was not counted.
    std::uint64_t records_at_hand() const noexcept {
      return has_head && head.event.record != nullptr && head.event.source.id != 0 ? 1 : 0;
    }
    os::Descriptor socket;
    Connection connection;
    Connection::Arrival head;
    bool has_head = false;  // it stands in heads_, or is being delivered: its bytes must stay
    std::size_t place = 0;  // in descriptors_
    std::size_t held = 0;   // bytes of a frame that is not whole, as counted in held_
    bool heard_out = false;
    bool stays_heard = false;           // where only the dead are: it is one of them, or came later
    bool talks = false;                 // its last receive was no small one: the next begins with a large piece
    std::uint64_t read_in = 0;          // the turn in which it was read last
    bool resting = false;               // it stands in resting_
    bool watches = false;               // it asked for news
    std::optional<Level> level_told{};  // what it was told last; when it asked first, what there was
    bool flush_listed = false;          // it stands in flushes_
    std::optional<Admission::Verdict> verdict{};  // why it has to prove that it may speak, as long as it has not
  };
  struct Knock {
    std::int64_t until_ns;  // monotonic
    std::uint64_t id;
  };
  // Why a connection is refused; each is told once.
  enum class Refusal { connections, knocks, descriptors, poller, silence, token, foreign_user, unknown_user };
  static constexpr std::size_t refusals = 8;
  struct Head {
    std::int64_t order_ns;
    std::uint64_t number;  // of two at the same time, the one that came first
    Peer* peer;
    bool operator<(const Head& other) const {  // the greatest is taken first
      return order_ns != other.order_ns ? order_ns > other.order_ns : number > other.number;
    }
  };

  void accept_all();
  bool accept_one();
  bool refuse_for_want_of_descriptors();
  void refuse(Refusal kind, std::string_view why);
  void refuse(const Admission::Verdict& verdict);
  void expect_proof(Peer& peer, const Admission::Verdict& verdict);
  void turn_away_oldest_knock();
  void turn_away_the_silent();
  void give_words();
  void without_listener();
  template <class Condition>
  void end_where(Condition condition);
  void take_asked(Peer& peer);
  void answer_flush(Peer& peer, wire::FlushedFrame answer, std::uint64_t lost);
  // False: nobody is there to be told.
  bool answer_news(Peer& peer, bool last, std::uint64_t lost);
  bool is_there(const Peer& peer) const noexcept;
  void send_answer(Peer& peer);
  void part_with(std::span<const std::uint64_t> ids);
  void close(Peer& peer);
  void count_held(Peer& peer);
  void read(Peer& peer, std::size_t share_bytes);
  // Its next event. False: none; it rests, or is gone.
  bool fetch(Peer& peer);
  void put(Peer& peer);
  void advance(Peer& peer) {
    if (fetch(peer)) put(peer);
  }
  void let_rest();

  os::Poller* poller_;
  Source self_;
  os::Descriptor listener_;
  os::Descriptor spare_;  // given up for a moment where no descriptor is left, to take a connection and close it
  std::uint16_t port_;
  std::uint64_t cookie_;  // the listener's: see os::Listening
  std::unordered_map<std::uint64_t, std::unique_ptr<Peer>> peers_;
  std::priority_queue<Head> heads_;
  Peer* taking_ = nullptr;
  std::vector<std::uint64_t> resting_;  // ids of those whose memory was not given back yet: they may go on talking
  std::uint64_t turn_number_ = 0;
  // The sockets' numbers once more, -1 where a place is free: what a forked child closes.
  std::unique_ptr<std::array<std::atomic<int>, connections_max>> descriptors_;
  std::vector<std::size_t> free_places_;
  std::size_t held_ = 0;         // bytes of frames that are not whole, of all connections
  Connection::Kept kept_{0, 0};  // of all connections
  std::uint64_t next_id_;
  std::uint64_t next_number_ = 0;  // of a Head
  std::uint64_t refused_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::array<bool, refusals> told_refused_{};
  bool told_broken_ = false;
  bool told_closed_ = false;
  std::vector<std::string> complaints_;
  Admission admission_;
  struct Question {
    std::uint64_t id;
    wire::FlushedFrame answer;
  };
  std::vector<std::uint64_t> flushes_;  // ids of those who asked
  std::vector<Question> questions_;     // that were taken
  Level level_ = Level::trace;          // as it was told last
  bool news_due_ = false;               // the level changed before somebody asked again
  wire::Bytes answer_;
  // The first to give up first; some may have proved it, or be gone.
  std::deque<Knock> knocks_;      // of others
  std::deque<Knock> own_knocks_;  // of this user
  std::size_t knocking_ = 0;      // others
  bool only_the_dead_ = false;
  std::int64_t retry_ns_;
  std::uint64_t records_per_second_ = 0;
  std::int64_t words_due_ns_;  // of what was lost for coming too fast

  struct Turn {
    std::int64_t now_ns = 0;
    std::int64_t wall_ns = 0;
    std::int64_t since_ns = 0;  // what is read came after this: of the turn before
    std::size_t bytes_left = 0;
  };
  Turn turn_{};
};

}  // namespace dlog::hub
