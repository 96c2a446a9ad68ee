// Who may speak to the listener: see admission.hpp.
#include "log/hub/admission.hpp"

#include <fmt/format.h>

#include <utility>

namespace dlog::hub {

Admission::Admission(Trust trust, std::string token)
    : trust_(trust), token_(std::move(token)), own_user_(os::own_user()) {}

Admission::Verdict Admission::at_the_door(os::LoopbackAddress here, os::LoopbackAddress peer) const noexcept {
  if (trust_ == Trust::open) return {};
  const auto owner = owners_->of_peer(here, peer);
  if (trust_ == Trust::token) return {Doubt::no_token, 0, owner && owner->user == own_user_};
  // A stranger has only to close at once not to be seen any more: where most did so, nine of ten could have said what they liked.
  if (!owner) return {Doubt::unknown_user};
  if (owner->user != own_user_) return {Doubt::foreign_user, owner->user};
  return {};
}

bool Admission::has_owner(os::LoopbackAddress here, os::LoopbackAddress peer) const noexcept {
  return !owners_->is_nobodys_peer(here, peer);
}

bool Admission::proves(std::string_view token) const noexcept {
  if (token_.empty() || token.size() != token_.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < token.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(token[i]) ^ static_cast<unsigned char>(token_[i]));
  return difference == 0;
}

std::string Admission::sentence(const Verdict& verdict) {
  switch (verdict.doubt.value_or(Doubt::no_token)) {
    case Doubt::no_token: return "it did not prove that it is a child of this process";
    case Doubt::foreign_user: return fmt::format("it is another user's ({}), and proved nothing", verdict.user);
    case Doubt::unknown_user: return "the system does not say whose it is (it closed at once?), and it proved nothing";
  }
  return {};
}

}  // namespace dlog::hub
