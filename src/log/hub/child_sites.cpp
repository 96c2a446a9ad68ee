// The places in a child's source: see child_sites.hpp.
#include "log/hub/child_sites.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "log/wire/format.hpp"

namespace dlog::hub {

bool ChildSites::define(std::uint32_t number, const Site& site, std::size_t bytes_max) {
  if (number == 0 || number > sites_per_connection_max) return false;
  if (const auto old = entries_.find(number); old != entries_.end()) {
    bytes_ -= old->second.texts.size() + entry_bytes;
    entries_.erase(old);
  }
  const std::string_view file = utf8::cut(site.file, wire::site_text_bytes_max);
  const std::string_view function = utf8::cut(site.function, wire::site_text_bytes_max);
  const std::size_t bytes = file.size() + function.size() + entry_bytes;
  if (bytes_ + bytes > std::min(bytes_max, site_bytes_per_connection_max)) return false;
  Entry& entry = entries_[number];
  entry.texts.reserve(file.size() + function.size());
  entry.texts.append(file).append(function);
  entry.file_bytes = static_cast<std::uint32_t>(file.size());
  entry.line = site.line;
  bytes_ += bytes;
  return true;
}

ChildSites::Site ChildSites::find(std::uint32_t number) const noexcept {
  if (number == 0) return {};
  const auto found = entries_.find(number);
  if (found == entries_.end()) return {};
  const Entry& entry = found->second;
  const std::string_view texts = entry.texts;
  return {texts.substr(0, entry.file_bytes), texts.substr(entry.file_bytes), entry.line};
}

}  // namespace dlog::hub
