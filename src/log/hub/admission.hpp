// Who may speak to the listener: whose connection is taken at once, and who must first prove that a parent of ours started it.
//
// Threads: the log thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dlog/config.hpp"
#include "os/socket_owner.hpp"

namespace dlog::hub {

class Admission {
 public:
  // Takes everybody.
  Admission() = default;
  // `token`: what our children inherited, and nobody else can know; empty: there is none, and nothing proves anything.
  Admission(Trust trust, std::string token);

  // Why somebody must prove that he may speak; each kind is told once.
  enum class Doubt { no_token, foreign_user, unknown_user };
  struct Verdict {
    std::optional<Doubt> doubt{};  // none: it is taken as one of ours
    std::uint32_t user = 0;        // where it is a foreign one
    bool is_own = false;           // it is this user's, and must prove all the same
  };
  Verdict at_the_door(os::LoopbackAddress here, os::LoopbackAddress peer) const noexcept;

  // Has a process the other end of a connection? Where the system does not say: yes.
  bool has_owner(os::LoopbackAddress here, os::LoopbackAddress peer) const noexcept;

  // Takes as long for every wrong token of the right length.
  bool proves(std::string_view token) const noexcept;

  // In words.
  static std::string sentence(const Verdict& verdict);

  // Whom it asks may have been closed beneath it.
  void renew() noexcept { owners_.emplace(); }

  // After a fork, in the child.
  void abandon() noexcept {
    if (owners_) owners_->abandon();
  }

 private:
  Trust trust_ = Trust::open;
  std::string token_;
  std::uint32_t own_user_ = 0;
  std::optional<os::SocketOwners> owners_{std::in_place};
};

}  // namespace dlog::hub
