// The sending half of a channel: see outbound.hpp.
#include "channel/outbound.hpp"

#include <algorithm>
#include <cstddef>

namespace dlog::channel {
namespace {

constexpr std::size_t piece_bytes_max = 64 << 10;  // written together; a longer line stands alone
constexpr int sent_again_max = 3;

}  // namespace

void Outbound::add(std::string&& line, SendCallback&& done) {
  bytes_ += line.size();
  const bool joins =
      !pieces_.empty() && !pieces_.back().has_handle && pieces_.back().bytes.size() + line.size() <= piece_bytes_max;
  if (joins) {
    pieces_.back().bytes.append(line);
  } else {
    pieces_.emplace_back().bytes = std::move(line);
  }
  Piece& piece = pieces_.back();
  if (done) piece.done.emplace_back(piece.bytes.size(), std::move(done));
}

void Outbound::add(std::string&& line, Handle&& handle, SendCallback&& done) {
  bytes_ += line.size();
  Piece& piece = pieces_.emplace_back();
  piece.bytes = std::move(line);
  piece.handle = std::move(handle);
  piece.has_handle = true;
  piece.done.emplace_back(piece.bytes.size(), std::move(done));
}

void Outbound::add_urgent(std::string_view line) {
  urgent_.append(line);
  bytes_ += line.size();
}

bool Outbound::urgent_is_next() const noexcept {
  if (urgent_.empty()) return false;
  // A line that was begun must be ended first; so must what was begun of these.
  return urgent_taken_ > 0 || pieces_.empty() || pieces_.front().taken == 0 || pieces_.front().awaits_answer;
}

Outbound::Next Outbound::next() const noexcept {
  if (urgent_is_next()) return {std::string_view(urgent_).substr(urgent_taken_), -1};
  if (pieces_.empty() || pieces_.front().awaits_answer) return {};
  const Piece& piece = pieces_.front();
  return {std::string_view(piece.bytes).substr(piece.taken), piece.taken == 0 ? piece.handle.fd() : -1};
}

void Outbound::written(std::size_t bytes, std::vector<Told>& told) {
  bytes_ -= bytes;
  if (urgent_is_next()) {
    urgent_taken_ += bytes;
    if (urgent_taken_ < urgent_.size()) return;
    urgent_.clear();
    urgent_taken_ = 0;
    return;
  }
  Piece& piece = pieces_.front();
  piece.taken += bytes;
  if (piece.has_handle) {
    piece.awaits_answer = piece.taken == piece.bytes.size();
    return;
  }
  for (; piece.told < piece.done.size() && piece.done[piece.told].first <= piece.taken; ++piece.told)
    told.push_back({std::move(piece.done[piece.told].second), std::nullopt, {}});
  if (piece.taken == piece.bytes.size()) pieces_.pop_front();
}

bool Outbound::answered(bool acknowledged, std::vector<Told>& told) {
  if (pieces_.empty() || !pieces_.front().awaits_answer) return false;
  Piece& piece = pieces_.front();
  if (!acknowledged && piece.sent_again < sent_again_max) {
    ++piece.sent_again;
    piece.awaits_answer = false;
    piece.taken = 0;
    bytes_ += piece.bytes.size();
    return true;
  }
  std::optional<Error> error;
  if (!acknowledged)
    error =
        Error{ErrorCode::handle_lost, "a handle did not arrive, though it was sent four times; its message neither"};
  told.push_back({std::move(piece.done.front().second), std::move(error), std::move(piece.handle)});
  pieces_.pop_front();
  return true;
}

void Outbound::drop_handle(Error&& error, std::vector<Told>& told) {
  Piece& piece = pieces_.front();
  bytes_ -= piece.bytes.size() - piece.taken;
  told.push_back({std::move(piece.done.front().second), std::move(error), std::move(piece.handle)});
  pieces_.pop_front();
}

std::size_t Outbound::give_up(const Error& error, std::vector<Told>& told) {
  std::size_t untold = 0;
  for (Piece& piece : pieces_) {
    // A message is a line.
    const auto unsent = piece.bytes.begin() + static_cast<std::ptrdiff_t>(piece.taken);
    untold += static_cast<std::size_t>(std::count(unsent, piece.bytes.end(), '\n'));
    if (piece.awaits_answer) ++untold;
    untold -= piece.done.size() - piece.told;
    for (std::size_t i = piece.told; i < piece.done.size(); ++i)
      told.push_back({std::move(piece.done[i].second), error, {}});
    if (piece.has_handle) told.back().handle = std::move(piece.handle);
  }
  pieces_.clear();
  urgent_.clear();
  urgent_taken_ = 0;
  bytes_ = 0;
  return untold;
}

}  // namespace dlog::channel
