// JSON values as text and back: see json_text.hpp.
#include "channel/json_text.hpp"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace dlog::channel {
namespace {

// Builds the value while the text is read, and stops the reading where a limit is passed, so that nothing too deep is ever made.
class Builder {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(number_integer_t value) { return put(value); }
  bool number_unsigned(number_unsigned_t value) { return put(value); }
  bool number_float(number_float_t value, const string_t&) { return put(value); }
  bool string(string_t& value) { return put(std::move(value)); }
  bool binary(binary_t& value) { return put(std::move(value)); }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& name) {
    const auto [place, is_new] = open_.back()->get_ref<Json::object_t&>().try_emplace(std::move(name));
    if (!is_new) return refuse("the key \"" + place->first.substr(0, key_shown_max) + "\" comes twice in an object");
    at_key_ = &place->second;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) {
    // What it says ends with what it read; it begins with its own name and number.
    std::string_view words = error.what();
    if (const std::size_t end = words.find("] "); end != std::string_view::npos) words.remove_prefix(end + 2);
    return refuse(words.starts_with("parse error") ? std::string(words)
                                                   : "at byte " + std::to_string(position) + ": " + std::string(words));
  }

  Json take() { return std::move(root_); }
  std::string take_reason() { return std::move(reason_); }

 private:
  static constexpr std::size_t key_shown_max = 64;

  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }
  template <class T>
  Json* place(T&& value) {
    if (open_.empty()) return &(root_ = Json(std::forward<T>(value)));
    Json& parent = *open_.back();
    if (parent.is_array()) return &parent.get_ref<Json::array_t&>().emplace_back(std::forward<T>(value));
    return &(*at_key_ = Json(std::forward<T>(value)));
  }
  template <class T>
  bool put(T&& value) {
    place(std::forward<T>(value));
    return true;
  }
  bool open(Json&& value) {
    if (open_.size() == json_depth_max) return refuse("nested deeper than " + std::to_string(json_depth_max));
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_{};
  std::vector<Json*>
      open_{};  // a parent stays where it is until its children are complete: only the last of an array can grow
  Json* at_key_ = nullptr;
  std::string reason_{};
};

// Why the value cannot be written; null: it can.
const char* unfit(const Json& value, std::size_t levels) {
  if (value.is_binary()) return "bytes have no JSON";
  if (value.is_discarded()) return "it is what a parser gave up";
  if (!value.is_structured()) return nullptr;
  if (levels == 0) return "nested deeper than 64, with the envelope";
  for (const Json& inner : value)
    if (const char* reason = unfit(inner, levels - 1)) return reason;
  return nullptr;
}
static_assert(json_depth_max == 64);  // as unfit() says

}  // namespace

Expected<Json> parse_json(std::string_view text) {
  // nlohmann takes a NUL for the end of the text, whatever stands behind it.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
    return Error{ErrorCode::bad_message, "a NUL at byte " + std::to_string(nul)};
  Builder builder;
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  return Error{ErrorCode::bad_message, builder.take_reason()};
}

Expected<std::string> json_text(const Json& value, std::size_t levels_around) {
  if (const char* reason = unfit(value, json_depth_max - levels_around)) return Error{ErrorCode::bad_value, reason};
  try {
    return value.dump();
  } catch (const Json::type_error&) {
    return Error{ErrorCode::bad_value, "a text in it is no UTF-8"};
  }
}

}  // namespace dlog::channel
