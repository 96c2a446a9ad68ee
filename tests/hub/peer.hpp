// A child's side of a connection, for its tests.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "log/hub/connection.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

namespace dlog::test {

using Words = std::vector<std::string>;

inline constexpr std::int64_t noted_ms = noted_ns / 1'000'000 * 1'000'000;  // what a seed timestamp can say

// A connection, its arrivals, and what it said so far.
struct Peer {
  // Bytes arrive, at once or in pieces; what they make is in words.
  Words say(std::string_view bytes, std::size_t piece = 0) {
    told.clear();
    order_ns.clear();
    if (piece == 0) piece = std::max<std::size_t>(bytes.size(), 1);
    while (!bytes.empty() && !connection.finished()) {
      const std::string_view some = bytes.substr(0, piece);
      const auto room = connection.room(some.size());
      std::transform(some.begin(), some.end(), room.begin(), [](char c) { return static_cast<std::byte>(c); });
      connection.received(some.size(), now_ns, now_ns - not_looked_ns);
      take();
      bytes.remove_prefix(some.size());
    }
    return words_of(told);
  }
  Words end() {
    told.clear();
    order_ns.clear();
    connection.ended(now_ns, now_ns - not_looked_ns);
    take();
    return words_of(told);
  }
  void take() {
    hub::Connection::Arrival arrival;
    while (connection.next(arrival)) {
      told.push_back(copy_of(arrival.event));
      order_ns.push_back(arrival.order_ns);
    }
    REQUIRE_FALSE(connection.next(arrival));
  }

  hub::Connection connection{7, own_notice, 40'001};
  std::int64_t now_ns = noted_ms + 2'000'000;
  std::int64_t not_looked_ns = 0;  // so long nobody has looked at the socket before
  std::vector<Told> told{};
  std::vector<std::int64_t> order_ns{};
};

}  // namespace dlog::test
