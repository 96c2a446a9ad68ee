// All children: see connections.hpp.
#include "log/hub/connections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "log/event/outlet.hpp"

namespace dlog::hub {
namespace {

constexpr std::uint64_t listener_key = 1;
constexpr std::uint64_t first_connection_key = 2;
constexpr std::int64_t retry_after_ns = 100'000'000;

}  // namespace

Connections::Connections(os::Poller& poller, Source self, os::Listening listening, std::int64_t wall_ns)
    : poller_(poller),
      self_(self),
      listener_(std::move(listening.socket)),
      spare_(os::spare_descriptor()),
      port_(listening.port),
      cookie_(listening.cookie),
      descriptors_(std::make_unique<std::array<std::atomic<int>, connections_max>>()),
      next_id_(first_connection_key),
      retry_ns_(event::Outlet::never) {
  turn_.wall_ns = wall_ns;
  for (std::size_t place = connections_max; place-- > 0;) {
    (*descriptors_)[place].store(-1, std::memory_order_relaxed);
    free_places_.push_back(place);
  }
  if (!poller_.watch(listener_, listener_key)) complaint_ = "cannot watch the listener; children are not heard";
}

std::size_t Connections::serve(std::int64_t now_ns, std::int64_t wall_ns) {
  const std::int64_t late_ns = std::max(late_ns_max, now_ns - turn_.now_ns);
  turn_ = {now_ns, wall_ns, std::max(turn_.wall_ns, wall_ns - late_ns), turn_bytes_max};
  if (retry_ns_ <= now_ns) {
    retry_ns_ = poller_.watch(listener_, listener_key) ? event::Outlet::never : now_ns + retry_after_ns;
  }
  ++turn_number_;
  std::array<std::uint64_t, ready_max> keys;
  const std::size_t all = peers_.size() + 1;  // and the listener; those who are taken now are read as they are taken
  std::size_t served = 0;
  for (;;) {
    const std::size_t ready = poller_.ready(keys);
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
    case os::AcceptOutcome::no_descriptors: refuse_for_want_of_descriptors(); return true;
    case os::AcceptOutcome::accepted: break;
  }
  if (peers_.size() >= connections_max) {
    refuse(fmt::format("more than {} connections", connections_max));
    return true;
  }
  const std::uint64_t id = next_id_++;
  auto peer = std::make_unique<Peer>(std::move(accepted.socket), Connection(id, self_, accepted.peer_port));
  if (!poller_.watch(peer->socket, id)) {
    refuse("the system cannot watch one more");
    return true;
  }
  peer->place = free_places_.back();
  free_places_.pop_back();
  (*descriptors_)[peer->place].store(peer->socket.get(), std::memory_order_relaxed);
  Peer& taken = *peers_.emplace(id, std::move(peer)).first->second;
  read(taken, piece_bytes);  // at once: it may have spoken, and ended, before this process spoke
  return true;
}

bool Connections::refuse_for_want_of_descriptors() {
  // The system may say so though nobody waits: only a connection that is there is refused.
  spare_.reset();
  os::Accepted accepted = os::accept_connection(listener_);
  const bool none_left = accepted.outcome == os::AcceptOutcome::no_descriptors;
  if (accepted.outcome == os::AcceptOutcome::accepted) refuse("no descriptor is left");
  accepted.socket.reset();  // makes room for the next spare
  spare_ = os::spare_descriptor();
  if (none_left) {
    // Not even one: look away for a while instead of spinning.
    poller_.forget(listener_);
    retry_ns_ = turn_.now_ns + retry_after_ns;
  }
  return accepted.outcome == os::AcceptOutcome::accepted;
}

void Connections::refuse(std::string why) {
  ++refused_;
  if (!std::exchange(told_refused_, true))
    complaint_ = fmt::format("connection refused: {}; further ones are only counted", why);
}

void Connections::read(Peer& peer, std::size_t share_bytes) {
  if (peer.has_head) return;  // it had its share
  Connection& connection = peer.connection;
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

void Connections::count_held(Peer& peer) {
  held_ = held_ - peer.held + peer.connection.pending();
  peer.held = peer.connection.pending();
  if (held_ <= held_bytes_max || peer.held == 0) return;
  peer.connection.give_up("too many frames that are not whole");
  advance(peer);
}

void Connections::close(Peer& peer) {
  held_ -= peer.held;
  kept_.bars -= peer.connection.kept().bars;
  kept_.site_bytes -= peer.connection.kept().site_bytes;
  (*descriptors_)[peer.place].store(-1, std::memory_order_relaxed);  // first: the number may soon be somebody else's
  free_places_.push_back(peer.place);
  poller_.forget(peer.socket);
  peers_.erase(peer.connection.id());
}

void Connections::begin_hearing_out() {
  for (const auto& [id, peer] : peers_) peer->heard_out = false;
}

bool Connections::all_heard_out() const {
  return std::all_of(peers_.begin(), peers_.end(), [](const auto& entry) { return entry.second->heard_out; });
}

void Connections::abandon() noexcept {
  listener_.reset();
  spare_.reset();
  for (const std::atomic<int>& descriptor : *descriptors_) {
    if (const int fd = descriptor.load(std::memory_order_relaxed); fd >= 0) os::close_descriptor(fd);
  }
}

std::string Connections::take_complaint() { return std::exchange(complaint_, {}); }

}  // namespace dlog::hub
