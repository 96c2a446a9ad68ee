// What is known of each call site: see site_table.hpp.
#include "log/event/site_table.hpp"

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

namespace dlog::event {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Are there the braces of argument `expected` at `at`, which stands behind the opening one and is moved behind the closing one?
bool is_plain_field(std::string_view format, std::size_t& at, std::size_t expected) {
  std::size_t number = 0;
  const std::size_t begin = at;
  while (at < format.size() && is_digit(format[at]) && at - begin < 6)
    number = number * 10 + static_cast<std::size_t>(format[at++] - '0');
  const bool numbered = at != begin;
  return at < format.size() && format[at++] == '}' && (!numbered || number == expected);
}

std::size_t hash_of(const capture::Site& site) {
  const std::hash<std::string_view> hash;
  const std::string_view format(site.format == nullptr ? "" : site.format, site.format_size);
  return hash(format) * 31 + hash(site.where.file) * 7 + site.where.line;
}

}  // namespace

Plan plan_of(std::string_view format, std::size_t argument_count) {
  Plan plan;
  std::uint32_t literal = 0;
  for (std::size_t at = 0; at < format.size();) {
    const char c = format[at++];
    const bool doubled = at < format.size() && format[at] == c;
    if (c == '{' && !doubled) {
      if (!is_plain_field(format, at, plan.literal_bytes.size())) return {};
      plan.literal_bytes.push_back(std::exchange(literal, 0));
      continue;
    }
    if (c == '}' && !doubled) return {};  // no format: fmt says so
    if (doubled && (c == '{' || c == '}')) ++at;
    plan.literals += c;
    ++literal;
  }
  plan.plain = plan.literal_bytes.size() == argument_count;
  plan.literal_bytes.push_back(literal);
  return plan;
}

SiteEntry entry_of(const capture::Site& site, const capture::Code* codes, std::size_t count) {
  SiteEntry entry;
  entry.is_text = site.format == nullptr;
  if (site.format != nullptr) entry.format.assign(site.format, site.format_size);
  entry.file = site.where.file;
  entry.function = site.where.function;
  entry.line = site.where.line;
  entry.addresses = site.addresses;
  entry.codes.assign(codes, codes + count);
  if (!entry.is_text && entry.addresses == 0) entry.plan = plan_of(entry.format, count);
  return entry;
}

bool SiteEntry::is(const capture::Site& site, const capture::Code* site_codes, std::size_t count) const noexcept {
  return line == site.where.line && is_text == (site.format == nullptr) &&
         (is_text || format == std::string_view(site.format, site.format_size)) && file == site.where.file &&
         addresses == site.addresses && function == site.where.function &&
         std::equal(codes.begin(), codes.end(), site_codes, site_codes + count);
}

SiteTable::~SiteTable() {
  for (const auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
}

std::uint32_t SiteTable::number_of(const capture::Site& site, const capture::Code* codes, std::size_t count) {
  const std::size_t hash = hash_of(site);
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = numbers_.equal_range(hash);
  for (auto known = begin; known != end; ++known) {
    if (find(known->second).is(site, codes, count)) return known->second;
  }
  if (next_ >= chunk_entries * chunks_max) throw std::bad_alloc();
  SiteEntry entry = entry_of(site, codes, count);
  std::atomic<Chunk*>& chunk = chunks_[next_ / chunk_entries];
  if (chunk.load(std::memory_order_relaxed) == nullptr) chunk.store(new Chunk, std::memory_order_release);
  numbers_.emplace(hash, next_);
  (*chunk.load(std::memory_order_relaxed))[next_ % chunk_entries] = std::move(entry);
  return next_++;
}

void SiteTable::renew_lock() noexcept {
  if (mutex_.try_lock()) return mutex_.unlock();
  // A thread that is not here was changing the numbers: they are left as they are, and given anew.
  new (&numbers_) std::unordered_multimap<std::size_t, std::uint32_t>;
  if (chunks_[next_ / chunk_entries].load(std::memory_order_relaxed) != nullptr) ++next_;  // its entry may be half made
  new (&mutex_) std::mutex;
}

}  // namespace dlog::event
