// A plug-in that logs, without a dlog of its own: t_plugins has it. Built several times over, with another VALUE each.
#include <dlog/dlog.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace {

constexpr std::string_view constant = "constant {}";

template <class... Args>
void log_handed(dlog::format_string<Args...> format, Args&&... args) {
  dlog::info(format, std::forward<Args>(args)...);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void run() {
  const auto value = VALUE;
  dlog::info("literal {}", value);
  dlog::info(constant, value);
  log_handed("handed {}", value);
  dlog::info(std::string("text"));
}
