// The places in a child's source: see child_sites.hpp.
#include "log/hub/child_sites.hpp"

#include "base/utf8.hpp"
#include "log/wire/format.hpp"

namespace dlog::hub {

bool ChildSites::define(std::uint32_t number, const Site& site) {
  if (number == 0 || number > sites_per_connection_max) return false;
  if (entries_.size() < number) entries_.resize(number);
  Entry& entry = entries_[number - 1];
  bytes_ -= entry.texts.size();
  entry = {};

  const std::string_view file = utf8::cut(site.file, wire::site_text_bytes_max);
  const std::string_view function = utf8::cut(site.function, wire::site_text_bytes_max);
  const std::size_t bytes = file.size() + function.size();
  if (bytes > site_bytes_per_connection_max - bytes_) return false;
  entry.texts.reserve(bytes);
  entry.texts.append(file).append(function);
  entry.file_bytes = static_cast<std::uint32_t>(file.size());
  entry.line = site.line;
  bytes_ += bytes;
  return true;
}

ChildSites::Site ChildSites::find(std::uint32_t number) const noexcept {
  if (number == 0 || number > entries_.size()) return {};
  const Entry& entry = entries_[number - 1];
  const std::string_view texts = entry.texts;
  return {texts.substr(0, entry.file_bytes), texts.substr(entry.file_bytes), entry.line};
}

}  // namespace dlog::hub
