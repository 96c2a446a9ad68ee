// What the log thread does for those who ask and wait: flush, suspend, leave. See log_thread.hpp.
//
// A sink that takes nothing holds none of this up in the log thread: an errand stays in hand, over as many turns as it takes.
#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "base/civil_time.hpp"
#include "log/hub/log_thread.hpp"
#include "os/clock.hpp"

namespace dlog::hub {
namespace {

constexpr std::int64_t heard_out_ns =
    5 * ns_per_ms;  // silence after which nothing more is expected of children that ended
constexpr std::int64_t heard_out_chat_ns = 500 * ns_per_ms;
constexpr std::uint64_t heard_out_bytes_max = std::uint64_t{64} << 20;  // of each: more than the kernel holds for one

// Who must wait within the log thread gives up after so long in which nothing moves.
constexpr std::int64_t stall_ns_max = 2000 * ns_per_ms;
constexpr std::chrono::milliseconds try_again{1};

}  // namespace

bool LogThread::somebody_asks() const noexcept {
  return commands_.any() ||
         handler_asks_.load(std::memory_order_seq_cst) != handler_answered_.load(std::memory_order_relaxed);
}

bool LogThread::take_errand() {
  if (errand_.in_hand || !somebody_asks()) return false;
  std::vector<Command> commands = std::move(errand_.commands);
  errand_ = {};
  errand_.commands = std::move(commands);
  errand_.commands.clear();
  if (commands_.any()) commands_.take(errand_.commands);
  errand_.handler_asks = handler_asks_.load(std::memory_order_acquire);
  if (errand_.handler_asks != handler_answered_.load(std::memory_order_relaxed))
    errand_.of_handlers = handler_command_.exchange(Command::flush, std::memory_order_relaxed);
  errand_.in_hand = true;
  return true;
}

void LogThread::run_errand() {
  if (!errand_.in_hand) return;
  while (!errand_.carried_out()) {
    if (!errand_.delivered || !errand_.complaints_said || delivery_.full()) return;
    const bool of_caller = errand_.done < errand_.commands.size();
    if (!carry_out(of_caller ? errand_.commands[errand_.done] : *errand_.of_handlers)) return;
    ++errand_.done;
  }
  // Whoever asked may have gone at his deadline: the end of the process does not wait behind him.
  if (delivery_.owes() && (errand_.of_handlers || !commands_.superseded())) return;
  tell_live();
  if (errand_.ends()) answer_children(true);
  errand_.in_hand = false;
  if (errand_.of_handlers) handler_answered_.store(errand_.handler_asks, std::memory_order_release);
  if (errand_.commands.empty()) return;
  count();
  set_doorbell(
      static_cast<std::uint8_t>(config_.flush_on));  // once more: who asked may have told us meanwhile to write through
  commands_.done();
}

void LogThread::tell_live() {
  const bool now = delivery_.live();
  if (std::exchange(live_, now) != now && on_live_ != nullptr) on_live_(now);
}

// False: a sink is full; to be called again.
bool LogThread::carry_out(Command command) {
  switch (command) {
    case Command::flush:
      sample_bars(now_.monotonic_ns);
      delivery_.flush();
      break;
    case Command::tidy: leave(false); break;
    case Command::leave:
      if (!hear_children_out()) return false;
      leave(true);
      break;
    case Command::suspend:
    case Command::resume: delivery_.suspend(command == Command::suspend); break;
  }
  return true;
}

// A child that has ended before us left what it said in the kernel: it is read until nothing comes any more, or more than it can have
// left. A living child that goes on talking is not heard for long, whatever it has to say: it is told how far it came.
// False: a sink is full; to be called again.
bool LogThread::hear_children_out() {
  if (!connections_) return true;
  if (!hearing_out_) {
    hearing_out_ = {connections_->bytes_read() + heard_out_bytes_max * connections_->open(),
                    os::monotonic_ns() + heard_out_chat_ns};
    connections_->begin_hearing_out();
  } else if (!deliver_until(take_turn())) {
    return false;
  }
  while (connections_->open() != 0 && connections_->bytes_read() < hearing_out_->bytes_max) {
    const std::int64_t before_ns = os::monotonic_ns();
    poller()->sleep(heard_out_ns);
    const std::uint64_t cut = take_turn();
    const std::size_t ready = connections_->serve(now_.monotonic_ns, now_.wall_ns);
    // A wake-up that was meant for the log thread ends the sleep early, and is no silence.
    if (ready == 0 && now_.monotonic_ns - before_ns >= heard_out_ns) break;
    if (now_.monotonic_ns >= hearing_out_->chat_until_ns) {
      if (connections_->all_heard_out()) break;
      connections_->hear_only_the_dead();
      if (connections_->dead_heard_out()) break;
    }
    take_queue();
    const bool all = deliver_until(cut);
    delivery_.settle();
    answer_children(false);
    if (!all) return false;
  }
  hearing_out_.reset();
  connections_->hear_all_again();
  return true;
}

void LogThread::leave(bool for_good) {
  const std::int64_t time_ns = os::wall_ns();
  const auto tell = [&](const Bar& bar) { delivery_.own_bar(bar, time_ns); };
  if (for_good) bars_.end_all(tell);
  else bars_.sample(tell);
  delivery_.leave(for_good);
}

void LogThread::leave_from_within() noexcept {
  const bool again = std::exchange(left_from_within_, true);
  try {
    set_doorbell(all_ring);
    delivery_.pass_over_sinks();
    std::erase(items_, nullptr);  // what is being handed out, or was
    if (connections_) connections_->finish_take();
    say_first_notices();
    const std::uint64_t cut = settled_cut();
    take_queue();
    go_on_while_moving([&] { return deliver_until(cut); });
    if (!again) go_on_while_moving([&] { return hear_children_out(); });
    leave(true);
    go_on_while_moving([&] { return !delivery_.owes(); });
    answer_children(true);
  } catch (const std::exception&) {
    // No memory for the last words, and nobody left to tell.
  }
}

// There is no later turn: until it is done, or nothing moves. Who gave up once does not wait again.
template <class Done>
void LogThread::go_on_while_moving(Done done) {
  std::uint64_t seen = delivery_.movement();
  std::int64_t moved_ns = os::monotonic_ns();
  while (!done() && !gave_up_) {
    std::this_thread::sleep_for(try_again);
    delivery_.settle();
    const std::int64_t now_ns = os::monotonic_ns();
    if (const std::uint64_t now = delivery_.movement(); now != seen) {
      seen = now;
      moved_ns = now_ns;
    } else if (now_ns - moved_ns > stall_ns_max) {
      gave_up_ = true;
    }
  }
}

}  // namespace dlog::hub
