// All children: see connections.hpp.
#include "log/hub/connections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "log/event/outlet.hpp"
#include "os/output.hpp"

namespace dlog::hub {
namespace {

constexpr std::uint64_t listener_key = 1;
constexpr std::uint64_t first_connection_key = 2;
constexpr std::int64_t retry_after_ns = 100'000'000;
constexpr std::int64_t words_after_ns = 1'000'000'000;

}  // namespace

Connections::Connections(os::Poller& poller, Source self, os::Listening listening, Admission admission,
                         std::int64_t wall_ns)
    : poller_(&poller),
      self_(self),
      listener_(std::move(listening.socket)),
      spare_(os::spare_descriptor()),
      port_(listening.port),
      cookie_(listening.cookie),
      descriptors_(std::make_unique<std::array<std::atomic<int>, connections_max>>()),
      next_id_(first_connection_key),
      admission_(std::move(admission)),
      retry_ns_(event::Outlet::never),
      words_due_ns_(event::Outlet::never) {
  turn_.wall_ns = wall_ns;
  for (std::size_t place = connections_max; place-- > 0;) {
    (*descriptors_)[place].store(-1, std::memory_order_relaxed);
    free_places_.push_back(place);
  }
  if (!poller_->watch(listener_, listener_key))
    complaints_.emplace_back("cannot watch the listener; children are not heard");
}

std::size_t Connections::serve(std::int64_t now_ns, std::int64_t wall_ns) {
  const std::int64_t late_ns = std::max(late_ns_max, now_ns - turn_.now_ns);
  turn_ = {now_ns, wall_ns, std::max(turn_.wall_ns, wall_ns - late_ns), turn_bytes_max};
  if (!listener_.is_ours()) without_listener();
  if (retry_ns_ <= now_ns) {
    retry_ns_ = poller_->watch(listener_, listener_key) ? event::Outlet::never : now_ns + retry_after_ns;
  }
  ++turn_number_;
  std::array<std::uint64_t, ready_max> keys;
  const std::size_t all = peers_.size() + 1;  // and the listener; those who are taken now are read as they are taken
  std::size_t served = 0;
  for (;;) {
    const std::size_t ready = poller_->ready(keys);
    const std::size_t share =
        std::clamp(turn_.bytes_left / std::max<std::size_t>(ready, 1), piece_bytes, share_bytes_max);
    for (const std::uint64_t key : std::span(keys).first(ready)) {
      if (key == listener_key) accept_all();
      else if (const auto found = peers_.find(key); found != peers_.end()) read(*found->second, share);
    }
    served += ready;
    const bool all_asked = ready < keys.size() || served >= all;
    if (all_asked || turn_.bytes_left == 0) break;
  }
  turn_away_the_silent();
  give_words();
  let_rest();
  return served;
}

// Whoever was silent for a turn gives back memory.
void Connections::let_rest() {
  std::erase_if(resting_, [this](std::uint64_t id) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return true;
    Peer& peer = *found->second;
    if (peer.has_head || peer.read_in == turn_number_) return false;
    peer.connection.rest();
    peer.resting = false;
    return true;
  });
}

void Connections::accept_all() {
  // Bounded: those who are connected already have their turn, too.
  for (std::size_t i = 0; i < connections_max && turn_.bytes_left != 0 && accept_one(); ++i) {
  }
}

bool Connections::accept_one() {
  os::Accepted accepted = os::accept_connection(listener_);
  switch (accepted.outcome) {
    case os::AcceptOutcome::none_waiting: return false;
    case os::AcceptOutcome::failed: return true;
    case os::AcceptOutcome::no_descriptors: return refuse_for_want_of_descriptors();
    case os::AcceptOutcome::accepted: break;
  }
  if (peers_.size() >= connections_max) {
    refuse(Refusal::connections, fmt::format("more than {} connections", connections_max));
    return true;
  }
  const Admission::Verdict verdict =
      admission_.at_the_door({os::LoopbackAddress{}.ipv4, port_}, {accepted.peer_ipv4, accepted.peer_port});
  const std::uint64_t id = next_id_++;
  auto peer = std::make_unique<Peer>(std::move(accepted.socket), Connection(id, self_, accepted.peer_port));
  peer->connection.limit_records(records_per_second_);
  if (!poller_->watch(peer->socket, id)) {
    refuse(Refusal::poller, "the system cannot watch one more");
    return true;
  }
  const auto is_here = [](const void* socket) {
    return os::meets_own_process(*static_cast<const os::Descriptor*>(socket));
  };
  peer->connection.know_whence(is_here, &peer->socket);
  if (verdict.doubt) expect_proof(*peer, verdict);
  peer->stays_heard = only_the_dead_;
  peer->place = free_places_.back();
  free_places_.pop_back();
  (*descriptors_)[peer->place].store(peer->socket.get(), std::memory_order_relaxed);
  Peer& taken = *peers_.emplace(id, std::move(peer)).first->second;
  read(taken, piece_bytes);  // at once: it may have spoken, and ended, before this process spoke
  return true;
}

void Connections::expect_proof(Peer& peer, const Admission::Verdict& verdict) {
  const auto proves = [](const void* admission, std::string_view token) {
    return static_cast<const Admission*>(admission)->proves(token);
  };
  if (!verdict.is_own && knocking_ >= knocking_max) turn_away_oldest_knock();
  peer.verdict = verdict;
  peer.connection.demand_proof(proves, &admission_);
  (verdict.is_own ? own_knocks_ : knocks_).push_back({turn_.now_ns + knock_ns_max, peer.connection.id()});
  if (!verdict.is_own) ++knocking_;
}

// Who came last has something to say, most likely.
void Connections::turn_away_oldest_knock() {
  for (bool found = false; !found && !knocks_.empty(); knocks_.pop_front()) {
    const auto oldest = peers_.find(knocks_.front().id);
    found = oldest != peers_.end() && oldest->second->connection.knocks();
    if (!found) continue;
    refuse(Refusal::knocks, fmt::format("more than {} that must prove that they may speak", knocking_max));
    close(*oldest->second);
  }
}

bool Connections::refuse_for_want_of_descriptors() {
  // The system may say so though nobody waits: only a connection that is there is refused.
  spare_.reset();
  os::Accepted accepted = os::accept_connection(listener_);
  const bool none_left = accepted.outcome == os::AcceptOutcome::no_descriptors;
  if (accepted.outcome == os::AcceptOutcome::accepted) refuse(Refusal::descriptors, "no descriptor is left");
  accepted.socket.reset();  // makes room for the next spare
  spare_ = os::spare_descriptor();
  if (none_left) {
    // Not even one: look away for a while instead of spinning.
    poller_->forget(listener_);
    retry_ns_ = turn_.now_ns + retry_after_ns;
  }
  return accepted.outcome == os::AcceptOutcome::accepted;
}

void Connections::refuse(Refusal kind, std::string_view why) {
  ++refused_;
  if (!std::exchange(told_refused_[static_cast<std::size_t>(kind)], true))
    complaints_.push_back(fmt::format("connection refused: {}; further ones are only counted", why));
}

void Connections::refuse(const Admission::Verdict& verdict) {
  Refusal kind = Refusal::token;
  if (verdict.doubt == Admission::Doubt::foreign_user) kind = Refusal::foreign_user;
  if (verdict.doubt == Admission::Doubt::unknown_user) kind = Refusal::unknown_user;
  refuse(kind, Admission::sentence(verdict));
}

void Connections::turn_away_the_silent() {
  for (std::deque<Knock>* const knocks : {&knocks_, &own_knocks_}) {
    for (; !knocks->empty() && knocks->front().until_ns <= turn_.now_ns; knocks->pop_front()) {
      const auto found = peers_.find(knocks->front().id);
      if (found == peers_.end() || !found->second->connection.knocks()) continue;
      refuse(Refusal::silence, fmt::format("it proved nothing within {} s", knock_ns_max / 1'000'000'000));
      close(*found->second);
    }
  }
}

// What was lost in a second is told at its end, also of those who say no more.
void Connections::give_words() {
  if (words_due_ns_ > turn_.now_ns) return;
  words_due_ns_ = event::Outlet::never;
  std::vector<std::uint64_t> ids;
  for (const auto& [id, peer] : peers_) {
    if (peer->connection.owes_word()) ids.push_back(id);
  }
  for (const std::uint64_t id : ids) {
    Peer& peer = *peers_.at(id);
    peer.connection.give_word(turn_.wall_ns);
    if (peer.connection.owes_word()) words_due_ns_ = turn_.now_ns + words_after_ns;  // it had one a moment ago
    if (!peer.has_head) advance(peer);
  }
}

std::int64_t Connections::due_ns() const noexcept {
  std::int64_t due_ns = std::min(retry_ns_, words_due_ns_);
  for (const std::deque<Knock>* const knocks : {&knocks_, &own_knocks_}) {
    if (!knocks->empty()) due_ns = std::min(due_ns, knocks->front().until_ns);
  }
  return due_ns;
}

void Connections::read(Peer& peer, std::size_t share_bytes) {
  if (peer.has_head) return;  // it had its share
  if (only_the_dead_ && !peer.stays_heard) return;
  Connection& connection = peer.connection;
  if (connection.knocks()) share_bytes = hello_bytes_max;
  std::size_t piece = peer.talks ? piece_bytes : small_piece_bytes;
  peer.talks = false;
  peer.read_in = turn_number_;
  for (std::size_t read = 0; read < share_bytes;) {
    const os::Received got = os::receive(peer.socket, connection.room(piece));
    if (got.outcome == os::Transfer::would_block) {
      peer.heard_out = true;
      break;
    }
    connection.received(got.bytes, turn_.wall_ns, turn_.since_ns);
    read += got.bytes;
    peer.talks |= got.bytes >= small_piece_bytes;
    piece = got.bytes == piece ? piece_bytes : small_piece_bytes;
    bytes_read_ += got.bytes;
    turn_.bytes_left -= std::min(turn_.bytes_left, got.bytes);
    if (got.outcome == os::Transfer::done) continue;
    if (got.outcome == os::Transfer::failed && !std::exchange(told_broken_, true))
      complaints_.push_back("a connection broke: " + os::error_text(got.error) + "; further ones are not told");
    connection.ended(turn_.wall_ns, turn_.since_ns);
    break;
  }
  advance(peer);
}

void Connections::put(Peer& peer) { heads_.push({peer.head.order_ns, next_number_++, &peer}); }

bool Connections::fetch(Peer& peer) {
  // It may keep what it has, and what the others have left.
  const Connection::Kept before = peer.connection.kept();
  peer.connection.allow({before.bars + bars_open_max - std::min(bars_open_max, kept_.bars),
                         before.site_bytes + site_bytes_max - std::min(site_bytes_max, kept_.site_bytes)});
  peer.has_head = peer.connection.next(peer.head);
  if (peer.verdict && !peer.connection.knocks()) {
    if (!peer.verdict->is_own) --knocking_;
    if (peer.connection.turned_away()) refuse(*peer.verdict);
    peer.verdict.reset();
  }
  take_asked(peer);
  if (peer.connection.owes_word()) words_due_ns_ = std::min(words_due_ns_, turn_.now_ns + words_after_ns);
  const Connection::Kept now = peer.connection.kept();
  kept_.bars = kept_.bars - before.bars + now.bars;
  kept_.site_bytes = kept_.site_bytes - before.site_bytes + now.site_bytes;
  if (peer.has_head) return true;
  if (peer.connection.finished()) {
    close(peer);
  } else {
    if (!std::exchange(peer.resting, true)) resting_.push_back(peer.connection.id());
    count_held(peer);
  }
  return false;
}

// What stood before it has been handed out by now.
void Connections::take_asked(Peer& peer) {
  const Connection::Asked& asked = peer.connection.asked();
  if (asked.flush && !std::exchange(peer.flush_listed, true)) flushes_.push_back(peer.connection.id());
  if (!asked.news || std::exchange(peer.watches, true)) return;
  if (!peer.level_told) peer.level_told = level_;
  news_due_ = news_due_ || peer.level_told != level_;
}

void Connections::take_flushes() {
  questions_.reserve(questions_.size() + flushes_.size());
  for (const std::uint64_t id : std::exchange(flushes_, {})) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) continue;
    Peer& peer = *found->second;
    peer.flush_listed = false;
    questions_.push_back({id, peer.connection.take_flush(peer.records_at_hand())});
  }
}

void Connections::answer_flush(Peer& peer, wire::FlushedFrame answer, std::uint64_t lost) {
  if (!is_there(peer)) return;
  answer.lost = lost + peer.connection.dropped();
  wire::append(answer_, answer);
  send_answer(peer);
}

bool Connections::answer_news(Peer& peer, bool last, std::uint64_t lost) {
  if (!is_there(peer)) return false;
  peer.watches = false;
  peer.level_told = level_;
  peer.connection.answer_news(answer_, last, level_, lost, peer.records_at_hand());
  send_answer(peer);
  return true;
}

// What is sent to a socket that nobody has any more makes its kernel throw away all that it still had for us.
bool Connections::is_there(const Peer& peer) const noexcept {
  return admission_.has_owner(os::local_address(peer.socket), os::peer_address(peer.socket));
}

// A child waits for each answer, so there is room for it; one that does not read what it asked for breaks its own stream.
void Connections::send_answer(Peer& peer) {
  const os::Received sent = os::send(peer.socket, answer_);
  const bool cut = sent.outcome == os::Transfer::done && sent.bytes != answer_.size();
  answer_.clear();
  if (!cut && sent.outcome != os::Transfer::would_block) return;  // one that is gone will be noticed
  peer.connection.give_up("it takes no answers");
  if (!peer.has_head) advance(peer);
}

// Also with what is at hand of theirs.
void Connections::part_with(std::span<const std::uint64_t> ids) {
  std::priority_queue<Head> others;
  for (; !heads_.empty(); heads_.pop()) {
    if (std::find(ids.begin(), ids.end(), heads_.top().peer->connection.id()) == ids.end()) others.push(heads_.top());
  }
  heads_ = std::move(others);
  for (const std::uint64_t id : ids) {
    if (const auto found = peers_.find(id); found != peers_.end()) close(*found->second);
  }
}

void Connections::count_held(Peer& peer) {
  held_ = held_ - peer.held + peer.connection.pending();
  peer.held = peer.connection.pending();
  if (held_ <= held_bytes_max || peer.held == 0) return;
  peer.connection.give_up("too many frames that are not whole");
  advance(peer);
}

void Connections::close(Peer& peer) {
  if (peer.verdict && !peer.verdict->is_own) --knocking_;
  held_ -= peer.held;
  kept_.bars -= peer.connection.kept().bars;
  kept_.site_bytes -= peer.connection.kept().site_bytes;
  (*descriptors_)[peer.place].store(-1, std::memory_order_relaxed);  // first: the number may soon be somebody else's
  free_places_.push_back(peer.place);
  poller_->forget(peer.socket);
  peers_.erase(peer.connection.id());
}

void Connections::go_on_with(os::Poller& poller) {
  poller_ = &poller;
  admission_.renew();
  if (listener_.is_ours() && !poller_->watch(listener_, listener_key)) listener_.reset();
  end_where([this](const Peer& peer) { return !poller_->watch(peer.socket, peer.connection.id()); });
}

// The program has closed it beneath us, and maybe others with it, or will soon: one after the other.
void Connections::without_listener() {
  retry_ns_ = event::Outlet::never;
  if (!std::exchange(told_closed_, true))
    complaints_.emplace_back(
        "this program closed the descriptors of dlog; children that start now keep their own consoles");
  end_where([](const Peer& peer) { return !peer.socket.is_ours(); });
}

template <class Condition>
void Connections::end_where(Condition condition) {
  std::vector<Peer*> lost;
  for (const auto& [id, peer] : peers_) {
    if (condition(*peer)) lost.push_back(peer.get());
  }
  for (Peer* const peer : lost) {
    peer->connection.ended(turn_.wall_ns, turn_.since_ns);
    if (!peer->has_head) advance(*peer);
  }
}

void Connections::begin_hearing_out() {
  for (const auto& [id, peer] : peers_) peer->heard_out = false;
}

void Connections::hear_only_the_dead() {
  if (std::exchange(only_the_dead_, true)) return;
  for (const auto& [id, peer] : peers_) peer->stays_heard = !is_there(*peer);
}

bool Connections::dead_heard_out() const {
  return std::all_of(peers_.begin(), peers_.end(),
                     [](const auto& entry) { return entry.second->heard_out || !entry.second->stays_heard; });
}

bool Connections::all_heard_out() const {
  return std::all_of(peers_.begin(), peers_.end(), [](const auto& entry) { return entry.second->heard_out; });
}

void Connections::abandon() noexcept {
  listener_.reset();
  spare_.reset();
  admission_.abandon();
  for (const std::atomic<int>& descriptor : *descriptors_) {
    const int fd = descriptor.load(std::memory_order_relaxed);
    // The child may have closed it before us, and have put another file there.
    if (fd >= 0 && os::local_address(fd).port == port_) os::close_descriptor(fd);
  }
}

std::string Connections::take_complaint() {
  if (complaints_.empty()) return {};
  std::string first = std::move(complaints_.front());
  complaints_.erase(complaints_.begin());
  return first;
}

}  // namespace dlog::hub
