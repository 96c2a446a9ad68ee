// A program outside dlog's build that uses every public name once and checks what comes of it. It is built against an
// installed copy, against a source tree and through pkg-config; started with the argument "child" it plays its own child.
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <dlog/dlog.hpp>
#include <dlog/memory_screen.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "check.hpp"

extern char** environ;

// macros_consumer.cpp: a second file, so that the headers' definitions meet in the linker, and the macros.
int log_with_macros();

namespace {

using namespace std::chrono_literals;

using consumer::checks;
using consumer::failures;

// ---- what the compiler can say

static_assert(dlog::Level::trace < dlog::Level::debug && dlog::Level::debug < dlog::Level::info &&
              dlog::Level::info < dlog::Level::warn && dlog::Level::warn < dlog::Level::error &&
              dlog::Level::error < dlog::Level::fatal && dlog::Level::fatal < dlog::Level::off);
static_assert(std::is_same_v<std::underlying_type_t<dlog::Level>, std::uint8_t>);

static_assert(dlog::Text<std::string> && dlog::Text<const std::string&> && dlog::Text<std::string_view>);
static_assert(!dlog::Text<const char*> && !dlog::Text<int>);
static_assert(std::is_same_v<dlog::format_string<int>, dlog::basic_format<int>>);

// The calls by themselves, without the making of their format.
template <class... Args>
constexpr bool records_are_noexcept(dlog::format_string<Args...> format, Args&&... args) {
  return noexcept(dlog::trace(format, std::forward<Args>(args)...))&& noexcept(dlog::debug(format, std::forward<Args>(args)...))&& noexcept(dlog::info(
      format,
      std::forward<Args>(
          args)...))&& noexcept(dlog::
                                    warn(
                                        format,
                                        std::forward<Args>(
                                            args)...))&& noexcept(dlog::
                                                                      error(
                                                                          format,
                                                                          std::forward<Args>(
                                                                              args)...))&& noexcept(dlog::
                                                                                                        fatal(
                                                                                                            format,
                                                                                                            std::forward<
                                                                                                                Args>(
                                                                                                                args)...))&& noexcept(dlog::
                                                                                                                                          log(dlog::Level::
                                                                                                                                                  info,
                                                                                                                                              format,
                                                                                                                                              std::forward<
                                                                                                                                                  Args>(
                                                                                                                                                  args)...));
}
static_assert(records_are_noexcept("{}", 1) && records_are_noexcept("none"));
static_assert(noexcept(dlog::log(dlog::Level::info, std::declval<const std::string&>())));
static_assert(noexcept(dlog::flush(std::declval<std::chrono::milliseconds>())) && noexcept(dlog::finish()) && noexcept(
    dlog::
        level()) && noexcept(dlog::role()) && noexcept(dlog::stats()) && noexcept(dlog::set_level(dlog::Level::info)));

static_assert(std::is_aggregate_v<dlog::Config> && std::is_copy_constructible_v<dlog::Config>);
static_assert(std::is_same_v<decltype(dlog::init({})), bool>);
static_assert(std::is_same_v<decltype(dlog::flush(1s)), dlog::FlushResult>);
static_assert(std::is_constructible_v<bool, dlog::FlushResult> && !std::is_convertible_v<dlog::FlushResult, bool>);
static_assert(std::is_same_v<decltype(dlog::pipe_address()), std::string>);
static_assert(std::is_same_v<decltype(dlog::child_environment()), std::vector<std::string>>);

static_assert(std::is_nothrow_move_constructible_v<dlog::ProgressBar> &&
              std::is_nothrow_move_assignable_v<dlog::ProgressBar>);
static_assert(!std::is_copy_constructible_v<dlog::ProgressBar> && !std::is_copy_assignable_v<dlog::ProgressBar>);
static_assert(!std::is_convertible_v<std::string_view, dlog::ProgressBar>);
static_assert(std::is_same_v<decltype(++std::declval<dlog::ProgressBar&>()), dlog::ProgressBar&>);
static_assert(std::is_same_v<decltype(std::declval<dlog::ProgressBar&>() += 1), dlog::ProgressBar&>);

static_assert(std::is_abstract_v<dlog::Sink> && std::has_virtual_destructor_v<dlog::Sink>);

// ---- a sink that remembers

struct SeenRecord {
  bool from_child;
  dlog::Level level;
  std::string message, file, function;
  std::uint32_t line;
};
struct SeenBar {
  dlog::BarState state;
  std::string description, message;
  std::uint64_t value, total;
  dlog::Unit unit;
};

class Memory final : public dlog::Sink {
 public:
  void accept(const dlog::Event& event) override {
    const std::lock_guard lock(mutex_);
    if (const dlog::Record* r = event.record) {
      records_.push_back({event.source.id != 0, r->level, std::string(r->message), std::string(r->file),
                          std::string(r->function), r->line});
    } else if (const dlog::Bar* b = event.bar) {
      bars_.push_back({b->state, std::string(b->description), std::string(b->message), b->value, b->total, b->unit});
    }
  }
  void flush() override {
    const std::lock_guard lock(mutex_);
    ++flushes_;
  }

  // How many records of this level and text this process (or a child) has made.
  long count(dlog::Level level, std::string_view message, bool from_child = false) const {
    const std::lock_guard lock(mutex_);
    return std::count_if(records_.begin(), records_.end(), [&](const SeenRecord& r) {
      return r.level == level && r.message == message && r.from_child == from_child;
    });
  }
  SeenRecord record(std::string_view message) const {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(records_.begin(), records_.end(), [&](const SeenRecord& r) { return r.message == message; });
    return found == records_.end() ? SeenRecord{} : *found;
  }
  // The last that was seen of a bar; `known` is false for one that never was.
  SeenBar bar(std::string_view description, bool* known = nullptr) const {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(bars_.rbegin(), bars_.rend(), [&](const SeenBar& b) { return b.description == description; });
    if (known != nullptr) *known = found != bars_.rend();
    return found == bars_.rend() ? SeenBar{} : *found;
  }
  long flushes() const {
    const std::lock_guard lock(mutex_);
    return flushes_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<SeenRecord> records_;
  std::vector<SeenBar> bars_;
  long flushes_ = 0;
};

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A type that only fmt knows how to show: such an argument is formatted by the caller, at once.
struct Point {
  int x, y;
};

}  // namespace

template <>
struct fmt::formatter<Point> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  auto format(const Point& p, format_context& context) const { return format_to(context.out(), "<{}|{}>", p.x, p.y); }
};

namespace {

// A wrapper of one's own keeps the check of the format string.
template <class... Args>
void say(dlog::format_string<Args...> format, Args&&... args) {
  dlog::info(format, std::forward<Args>(args)...);
}

void records(const Memory& memory) {
  const std::string name = "Ada";
  dlog::trace("trace {}", 1);
  dlog::debug("debug {} {}", 2U, 'c');
  dlog::info("info {:.2f} {}", 2.5, name);
  dlog::warn("warn {} {}", true, std::string_view("view"));
  dlog::error("error {}", std::int64_t{-5});
  dlog::fatal("fatal {}", Point{1, 2});
  dlog::log(dlog::Level::warn, "disk {}% full", 93);
  dlog::info("no arguments");
  say("wrapped {}", name);

  const std::string braces = "text {} {";
  dlog::log(dlog::Level::info, braces);
  dlog::trace(braces);
  dlog::debug(std::string_view(braces));
  dlog::warn(std::string(braces));
  dlog::error(braces);
  dlog::fatal(braces);
  dlog::info(braces);
  const std::uint32_t here = __LINE__ + 1;
  dlog::info("the place");

  CHECK(dlog::flush().complete);
  CHECK(memory.count(dlog::Level::trace, "trace 1") == 1);
  CHECK(memory.count(dlog::Level::debug, "debug 2 c") == 1);
  CHECK(memory.count(dlog::Level::info, "info 2.50 Ada") == 1);
  CHECK(memory.count(dlog::Level::warn, "warn true view") == 1);
  CHECK(memory.count(dlog::Level::error, "error -5") == 1);
  CHECK(memory.count(dlog::Level::fatal, "fatal <1|2>") == 1);
  CHECK(memory.count(dlog::Level::warn, "disk 93% full") == 1);
  CHECK(memory.count(dlog::Level::info, "no arguments") == 1);
  CHECK(memory.count(dlog::Level::info, "wrapped Ada") == 1);
  CHECK(memory.count(dlog::Level::info, braces) == 2);
  for (const auto level :
       {dlog::Level::trace, dlog::Level::debug, dlog::Level::warn, dlog::Level::error, dlog::Level::fatal}) {
    CHECK(memory.count(level, braces) == 1);
  }
  const SeenRecord place = memory.record("the place");
  CHECK(place.line == here && place.function.find("records") != std::string::npos &&
        place.file.ends_with("consumer.cpp"));
  CHECK(memory.flushes() > 0);
}

void levels(const Memory& memory) {
  dlog::set_level(dlog::Level::error);
  CHECK(dlog::level() == dlog::Level::error);
  dlog::warn("below the level");
  dlog::error("at the level");
  dlog::set_level(dlog::Level::off);
  dlog::fatal("everything is off");
  dlog::set_level(dlog::Level::trace);
  CHECK(dlog::flush());
  CHECK(memory.count(dlog::Level::warn, "below the level") == 0);
  CHECK(memory.count(dlog::Level::error, "at the level") == 1);
  CHECK(memory.count(dlog::Level::fatal, "everything is off") == 0);
}

void bars(const Memory& memory) {
  {
    dlog::ProgressBar spinner{"spinner"};
    ++spinner;
    spinner += 4;
    CHECK(spinner.value() == 5);
    spinner += -2;
    CHECK(spinner.value() == 3);
    spinner.set_message("part 3 of 7");
  }
  {
    dlog::ProgressBar counted{"counted", 10};
    counted.push(7);
    counted.push(std::uint8_t{8});
    counted.push(10LL);
    CHECK(counted.value() == 10);
  }
  { dlog::ProgressBar left{"left", std::size_t{10}}; }
  {
    dlog::ProgressBar first{"moved", 3U};
    dlog::ProgressBar second{std::move(first)};
    second.push(1);
    dlog::ProgressBar third{"replaced", 1};
    third = std::move(second);
    CHECK(third.value() == 1);
    third.set_total(20);
    third.set_unit(dlog::Unit::bytes_iec);
    third.finish();
  }
  dlog::ProgressBar failed{"failed", 5};
  failed.fail("404");
  dlog::ProgressBar abandoned{"abandoned", 5};
  abandoned.set_unit(dlog::Unit::seconds);
  abandoned.abandon();
  dlog::ProgressBar cleared{"cleared", 5};
  cleared.set_unit(dlog::Unit::items);
  cleared.clear();
  dlog::ProgressBar unit{"unit", 5};
  unit.set_unit(dlog::Unit::bytes);
  unit.finish();

  const std::vector<int> files{1, 2, 3};
  int sum = 0;
  for (const auto& file : dlog::track(files, "tracked")) sum += file;
  for (const auto& file : dlog::track(std::vector<int>{}, "nothing")) sum += file;
  CHECK(sum == 6);
  CHECK(dlog::suspend([] { return 42; }) == 42);
  dlog::suspend([&sum] { ++sum; });

  CHECK(dlog::flush());
  using State = dlog::BarState;
  CHECK(memory.bar("spinner").state == State::finished && memory.bar("spinner").message == "part 3 of 7");
  CHECK(memory.bar("counted").state == State::finished && memory.bar("counted").value == 10 &&
        memory.bar("counted").total == 10);
  CHECK(memory.bar("left").state == State::abandoned);
  CHECK(memory.bar("moved").state == State::finished && memory.bar("moved").total == 20 &&
        memory.bar("moved").value == 20);
  CHECK(memory.bar("moved").unit == dlog::Unit::bytes_iec);
  CHECK(memory.bar("replaced").state == State::abandoned);
  CHECK(memory.bar("failed").state == State::failed && memory.bar("failed").message == "404");
  CHECK(memory.bar("abandoned").state == State::abandoned);
  CHECK(memory.bar("unit").state == State::finished && memory.bar("unit").unit == dlog::Unit::bytes);
  CHECK(memory.bar("tracked").state == State::finished && memory.bar("tracked").value == 3 &&
        memory.bar("tracked").total == 3);
  bool known = true;
  memory.bar("nothing", &known);
  CHECK(!known);
}

// What is shown, as a test would look at it. It is fed for the rest of the program and not looked at any more.
void screens() {
  const dlog::MemoryScreenOptions options{.columns = 40,
                                          .rows = 6,
                                          .unicode = false,
                                          .theme = dlog::BarTheme::ascii,
                                          .bar_template = "{desc} {bar:10} {elapsed}",
                                          .time = false,
                                          .numbers = false};
  const auto screen = std::make_shared<dlog::MemoryScreen>(options);
  dlog::add_sink(screen);
  dlog::ProgressBar bar{"Reading", 4};
  dlog::info("one");
  bar.push(2);
  CHECK(dlog::flush());
  screen->pass(61s);
  CHECK(screen->rows() == std::vector<std::string>{"INF consumer: one", "", "Reading [####----] 1:01"});
  CHECK(screen->cursor() == dlog::MemoryScreen::Cursor{.column = 0, .row = 1, .visible = true});
  CHECK(screen->frames() == 2);  // before the time passed and after
  screen->write("stray\n");
  screen->resize(40, 5);
  bar.clear();
  CHECK(dlog::flush());
  CHECK(screen->rows() == screen->lines());
  CHECK(screen->text() == "INF consumer: one\nstray\n");
}

// A child whose environment is built by hand: the variables of this process without DLOG_PIPE, and those that dlog names.
void children(const Memory& memory, char* self) {
  std::vector<std::string> variables = dlog::child_environment();
  CHECK(std::count(variables.begin(), variables.end(), "DLOG_PIPE=" + dlog::pipe_address()) == 1);
  for (char** v = environ; *v != nullptr; ++v) {
    if (std::strncmp(*v, "DLOG_", 5) != 0) variables.emplace_back(*v);
  }
  std::vector<char*> pointers;
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);

  std::string argument = "child";
  char* const arguments[] = {self, argument.data(), nullptr};
  pid_t pid = 0;
  const int spawned = posix_spawn(&pid, self, nullptr, nullptr, arguments, pointers.data());
  CHECK(spawned == 0);
  if (spawned != 0) return;
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);

  // Its records are in the kernel by now; they are shown soon.
  for (int i = 0; i < 1000 && memory.count(dlog::Level::info, "from the child 7", true) == 0; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  CHECK(memory.count(dlog::Level::info, "from the child 7", true) == 1);
}

int child() {
  dlog::info("from the child {}", 7);
  CHECK(dlog::role() == dlog::Role::child);
  CHECK(dlog::flush(10s));
  return failures == 0 ? 0 : 1;
}

int parent(char* self) {
  std::string folder = std::filesystem::temp_directory_path() / "dlog-consumer-XXXXXX";
  const bool has_folder = mkdtemp(folder.data()) != nullptr;
  CHECK(has_folder);
  if (!has_folder) return 1;
  const std::string console_path = folder + "/console";
  const std::string file_path = folder + "/file";
  std::FILE* const console = std::fopen(console_path.c_str(), "w");
  CHECK(console != nullptr);
  if (console == nullptr) return 1;

  const dlog::Config config{.level = dlog::Level::trace,
                            .format = dlog::Format::plain,
                            .progress = dlog::ProgressMode::plain,
                            .output_fd = fileno(console),
                            .file = file_path,
                            .process_name = "consumer",
                            .queue_bytes = std::size_t{4} << 20,
                            .overflow = dlog::Overflow::block,
                            .block_limit = 5s,
                            .flush_on = dlog::Level::error,
                            .trust = dlog::Trust::same_user,
                            .join_parent = false,
                            .listen = true,
                            .set_environment = true,
                            .handle_signals = false};
  CHECK(dlog::init(config));
  CHECK(!dlog::init({.level = dlog::Level::error}));
  CHECK(dlog::level() == dlog::Level::trace);
  CHECK(dlog::role() == dlog::Role::aggregator);
  CHECK(dlog::pipe_address().starts_with("127.0.0.1:"));
  const char* const advertised = getenv("DLOG_PIPE");
  CHECK(advertised != nullptr && dlog::pipe_address() == advertised);

  const auto memory = std::make_shared<Memory>();
  dlog::add_sink(memory);
  records(*memory);
  levels(*memory);
  bars(*memory);
  screens();
  CHECK(log_with_macros() == 1);
  CHECK(dlog::flush());
  CHECK(memory->count(dlog::Level::info, "macro 1") == 0);  // below DLOG_ACTIVE_LEVEL
  for (const auto level : {dlog::Level::warn, dlog::Level::error, dlog::Level::fatal})
    CHECK(memory->count(level, "macro 2") == 1);
  children(*memory, self);

  dlog::finish();
  dlog::info("after finish");
  const dlog::FlushResult result = dlog::flush(10s);
  CHECK(result.complete && result.lost == 0);
  const dlog::Stats stats = dlog::stats();
  CHECK(stats.enqueued >= 20 && stats.shown >= 20 && stats.shown <= stats.enqueued);
  CHECK(stats.dropped == 0 && stats.undeliverable == 0 && stats.refused == 0 && stats.children <= 1);

  for (const std::string& path : {console_path, file_path}) {
    const std::string text = contents(path);
    for (const char* const message :
         {"info 2.50 Ada", "fatal <1|2>", "text {} {", "at the level", "macro 2", "from the child 7", "after finish"}) {
      CHECK(text.find(message) != std::string::npos);
    }
    CHECK(text.find("consumer[" + std::to_string(getpid()) + "]") != std::string::npos);
    CHECK(text.find("below the level") == std::string::npos);
  }

  // Every enumerator that was not used above.
  CHECK(dlog::Format::automatic != dlog::Format::terminal && dlog::Format::simple != dlog::Format::json);
  CHECK(dlog::ProgressMode::automatic != dlog::ProgressMode::bar &&
        dlog::ProgressMode::json != dlog::ProgressMode::none);
  CHECK(dlog::Overflow::drop != dlog::Overflow::block && dlog::Trust::token != dlog::Trust::open);

  std::fclose(console);
  for (const std::string& path : {console_path, file_path}) unlink(path.c_str());
  rmdir(folder.c_str());
  std::printf("consumer: %d checks, %d failed\n", checks, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "child") return child();
  return parent(argv[0]);
}
