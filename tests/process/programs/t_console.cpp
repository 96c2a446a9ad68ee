// Test program: a console with much to do. Bars count and numbered lines come, of this process and of children of its own; the
// tests look at what a terminal makes of them.
//   t_console one|bars_first|children|killed|stray|many|wide|long [steps] [sizes...]
//   t_console child <name> <bar> <steps> <dies at that step; 0: never>
// A step takes some 10 ms. A line is "src=<who> seq=<n> <text> end", a bar "bar <n> of <who>", and what is written past dlog
// "stray <n> of <whom>". Own bars 2 and 3 end otherwise than by having finished. Sizes, as 60x20: in `many`, after each quarter
// of the steps, it rests until its terminal has the next one.
#include <dlog/dlog.hpp>

#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

extern char** environ;

namespace {

using Text = std::function<std::string(int)>;

// So many letters, others for every step: a line that lost a part of itself, or has another one's, shows it.
std::string letters(int step, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += static_cast<char>('a' + (step + i) % 26);
  return result;
}

std::string short_text(int step) { return letters(step, step * 7 % 23); }

std::string long_text(int step) { return letters(step, 260 + step % 40); }

constexpr std::array wide_texts{
    "下載完成 한국어",                                      // two columns each
    "e\xcc\x81t\xc3\xa9 n\xcc\x83 o\xcc\x88",               // two code points in one column, and one
    "\U0001F680\U0001F389 \U0001F469‍\U0001F680 ❤️",  // joined, and made an emoji by what follows
    "ｆｕｌｌ ﾊﾝｶｸ \U0001F1E9\U0001F1EA",
};

std::string wide_text(int step) { return wide_texts.at(static_cast<std::size_t>(step) % wide_texts.size()); }

void say(std::string_view name, int step, const Text& text) {
  dlog::info("src={} seq={} {} end", name, step, text(step));
}

// Counts all bars on and says a line at each step, and one more when all bars have ended.
void work(std::string_view name, std::vector<dlog::ProgressBar>& bars, int steps, const Text& text,
          const std::function<void(int)>& also) {
  for (int step = 0; step < steps; ++step) {
    for (dlog::ProgressBar& bar : bars) ++bar;
    say(name, step, text);
    also(step);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (std::size_t i = 0; i < bars.size(); ++i) {
    if (i == 1) bars[i].fail("no disk");
    else if (i == 2) bars[i].abandon();
    else bars[i].finish();
  }
  say(name, steps, text);
}

std::vector<dlog::ProgressBar> own_bars(int count, int steps, const std::string& more = {}) {
  std::vector<dlog::ProgressBar> bars;
  for (int i = 1; i <= count; ++i) {
    bars.emplace_back("bar " + std::to_string(i) + " of a" + more, steps);
    if (!more.empty()) bars.back().set_message(wide_text(i));
  }
  return bars;
}

pid_t start(std::vector<std::string> command) {
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  pid_t pid = -1;
  if (posix_spawn(&pid, words[0], nullptr, nullptr, words.data(), environ) != 0) std::exit(3);
  return pid;
}

void wait_for(pid_t pid) { waitpid(pid, nullptr, 0); }

int child(const std::string& name, const std::string& bar, int steps, int dies_at) {
  dlog::init({.process_name = name});  // a short one: rows are cut on a narrow terminal
  std::vector<dlog::ProgressBar> bars;
  bars.emplace_back("bar " + bar + " of " + name, steps);
  work(name, bars, steps, short_text, [dies_at](int step) {
    if (dies_at == 0 || step + 1 != dies_at) return;
    dlog::flush();  // what it said before must be seen
    raise(SIGKILL);
  });
  return 0;
}

// Four children, one bar each; the third one may die.
void with_children(int steps, bool kill) {
  std::vector<pid_t> pids;
  for (int i = 1; i <= 4; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    const int dies_at = kill && i == 3 ? steps / 2 : 0;
    pids.push_back(
        start({"/proc/self/exe", "child", name, std::to_string(i), std::to_string(steps), std::to_string(dies_at)}));
  }
  std::vector<dlog::ProgressBar> none;
  work("a", none, steps, short_text, [](int) {});
  for (const pid_t pid : pids) wait_for(pid);
}

// One line past dlog, of this process or of a program that knows nothing of it. The one before has to be above the bars by
// then: where two come between two frames, the second one is written over a bar.
void stray(int number) {
  dlog::flush();
  const std::string text = "stray " + std::to_string(number) + " of ";
  if (number % 3 == 2) return wait_for(start({"/bin/echo", text + "echo"}));
  const std::string line = text + (number % 3 == 0 ? "stderr\n" : "stdout\n");
  [[maybe_unused]] const ssize_t written = write(number % 3 == 0 ? 2 : 1, line.data(), line.size());
}

std::string size_of_terminal() {
  winsize size{};
  ioctl(2, TIOCGWINSZ, &size);
  return std::to_string(size.ws_col) + 'x' + std::to_string(size.ws_row);
}

// 40 bars; `sizes` are those that the terminal will have. A frame that is on its way when the terminal gets lower is higher than
// the screen: what it pushes out at the top nobody can take back. So nothing moves while the size changes, and "z" says so.
void many(int steps, const std::vector<std::string>& sizes) {
  std::vector<dlog::ProgressBar> bars = own_bars(40, steps);
  work("a", bars, steps, short_text, [&, next = std::size_t{0}](int step) mutable {
    if (next == sizes.size() || step < steps / 4 * static_cast<int>(next + 1)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    say("z", static_cast<int>(next), short_text);
    // Where nobody resizes it, the tests say so: it does not wait for ever.
    for (int i = 0; i < 3000 && size_of_terminal() != sizes[next]; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ++next;
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string scenario = argc > 1 ? argv[1] : "";
  if (scenario == "child" && argc == 6) return child(argv[2], argv[3], std::atoi(argv[4]), std::atoi(argv[5]));
  const int steps = argc > 2 ? std::atoi(argv[2]) : 240;
  dlog::init({.process_name = "a"});
  const auto nothing = [](int) {};
  std::vector<dlog::ProgressBar> bars;
  if (scenario == "children" || scenario == "killed") {
    with_children(steps, scenario == "killed");
  } else if (scenario == "bars_first") {
    bars = own_bars(4, steps);
    std::this_thread::sleep_for(std::chrono::milliseconds(400));  // so that they stand at the top of the screen
    work("a", bars, steps, short_text, nothing);
  } else if (scenario == "many") {
    many(steps, std::vector<std::string>(argv + std::min(argc, 3), argv + argc));
  } else if (scenario == "one" || scenario == "long") {
    bars = own_bars(4, steps);
    work("a", bars, steps, scenario == "long" ? long_text : short_text, nothing);
  } else if (scenario == "wide") {
    bars = own_bars(4, steps, " \U0001F680 下載 e\xcc\x81");
    work("a", bars, steps, wide_text, nothing);
  } else if (scenario == "stray") {
    bars = own_bars(4, steps);
    work("a", bars, steps, short_text, [each = steps / 7](int step) {
      if (step % each == 0 && step >= each && step <= 6 * each) stray(step / each - 1);
    });
  } else {
    return 64;
  }
  return 0;
}
