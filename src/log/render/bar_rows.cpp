// Live bars as rows: see bar_rows.hpp.
#include "log/render/bar_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>

#include "base/display_width.hpp"
#include "log/render/bar_picture.hpp"
#include "log/render/bar_words.hpp"
#include "log/render/visible.hpp"

namespace dlog::render {
namespace {

using event::BarField;
using event::BarTemplate;

constexpr std::size_t message_columns_min = 8;
constexpr std::size_t narrow_columns = 60;  // no room for sources
constexpr std::size_t depth_max = 8;        // of what is indented further
constexpr std::int64_t eta_after_ns = 1'000'000'000;
constexpr double eta_s_max = 100.0 * 24 * 3600;

// Never destroyed: the log thread draws on while the process ends. Without the compiler's lock of a first use, which a fork might meet.
using Kept = std::atomic<const BarTemplate*>;
constinit Kept with_total{nullptr};
constinit Kept without_total{nullptr};

const BarTemplate& kept_template(Kept& kept, std::string_view text) {
  const BarTemplate* known = kept.load(std::memory_order_acquire);
  if (known != nullptr) return *known;
  auto made = std::make_unique<const BarTemplate>(*BarTemplate::parse(text));
  if (kept.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *known;
}

const BarTemplate& usual_template(bool has_total) {
  return has_total ? kept_template(with_total, "{desc} {bar} {percent} {amount} {rate} {eta} {message}")
                   : kept_template(without_total, "{desc} {spinner} {amount} {rate} {elapsed} {message}");
}

const BarTemplate& template_of(const BarView& view, const BarLook& look) {
  if (view.bar_template != nullptr && !view.bar_template->parts.empty()) return *view.bar_template;
  return look.bar_template.parts.empty() ? usual_template(view.bar.total != 0) : look.bar_template;
}

std::string to_the_right(std::string text, std::size_t columns) {
  if (text.size() < columns) text.insert(0, columns - text.size(), ' ');
  return text;
}

// `  5/100`, `2.6/3.8 MiB`, `512 B/3.8 MiB`: as wide for every value where it can be.
std::string amount_words(const Bar& bar) {
  std::string value = amount_of(bar.value, bar.unit);
  if (bar.total == 0) return value;
  const std::string total = amount_of(bar.total, bar.unit);
  const auto unit_of = [](std::string_view text) { return text.substr(std::min(text.find(' '), text.size())); };
  const std::string_view unit = unit_of(total);
  if (unit_of(value) == unit) value.resize(value.size() - unit.size());
  return to_the_right(std::move(value), total.size() - unit.size()) + '/' + total;
}

// A part of a row.
struct Cell {
  BarField field = BarField::literal;
  std::string text{};
  std::size_t columns = 0;
  bool fixed = false;  // its template says how wide it is
};

struct Row {
  const BarView* view = nullptr;
  std::vector<Cell> cells{};
  std::size_t picture_columns = 0;  // of a picture that takes what is left; 0: there is none
};

class Rows {
 public:
  Rows(std::size_t columns, const BarLook& look, std::uint64_t tick)
      : room_(columns > 1 ? columns - 1 : 0),
        look_(look),
        tick_(tick),
        ambiguous_(look.wide_ambiguous ? Ambiguous::wide : Ambiguous::narrow) {}

  std::vector<std::string> draw(std::span<const BarView> bars) {
    std::vector<Row> rows;
    rows.reserve(bars.size());
    for (const BarView& view : bars) rows.push_back(row_of(view));
    align_descriptions(rows);
    for (Row& row : rows) fit(row);
    align_pictures(rows);
    std::vector<std::string> out;
    out.reserve(rows.size());
    for (const Row& row : rows) out.push_back(text_of(row));
    return out;
  }

 private:
  std::size_t width_of(std::string_view text) const { return columns_of(text, ambiguous_); }
  std::string cut(std::string_view text, std::size_t columns) const {
    return cut_with_ellipsis(text, columns, look_.unicode, ambiguous_);
  }
  void set_columns(Cell& cell, std::size_t columns) const {
    if (width_of(cell.text) > columns) cell.text = cut(cell.text, columns);
    cell.text.append(columns - std::min(columns, width_of(cell.text)), ' ');
    cell.columns = columns;
  }

  std::string eta_words(const BarView& view) const {
    const Bar& bar = view.bar;
    if (bar.paused) return "paused";
    if (bar.total == 0 || bar.value >= bar.total) return {};
    const double left_s = static_cast<double>(bar.total - bar.value) / view.per_second;
    const bool known = view.per_second > 0 && view.elapsed_ns >= eta_after_ns && left_s < eta_s_max;
    return "ETA " + (known ? clock_words(static_cast<std::int64_t>(std::ceil(left_s) * 1e9)) : "-:--");
  }

  std::string words_of(BarField field, const BarView& view, bool own_source) const {
    const Bar& bar = view.bar;
    switch (field) {
      case BarField::literal:
      case BarField::bar: return {};
      case BarField::source: return std::string(view.source);
      case BarField::desc: {
        std::string out(2 * std::min(view.depth, depth_max), ' ');
        if (!own_source && !view.source.empty() && room_ >= narrow_columns) out.append(view.source).append(" ");
        append_visible(out, bar.description);
        return out;
      }
      case BarField::spinner: return std::string(spinner(tick_, look_));
      case BarField::percent: return percent_words(bar);
      case BarField::value: return amount_of(bar.value, bar.unit);
      case BarField::total: return bar.total == 0 ? "" : amount_of(bar.total, bar.unit);
      case BarField::amount: return amount_words(bar);
      case BarField::rate: {
        std::string rate = rate_words(view.elapsed_ns < eta_after_ns || bar.paused ? 0 : view.per_second, bar.unit);
        return rate.empty() ? rate : to_the_right(std::move(rate), bar.unit == Unit::items ? 7 : 10);
      }
      case BarField::elapsed: return clock_words(view.elapsed_ns);
      case BarField::eta: return eta_words(view);
      case BarField::message: return visible(bar.message);
      case BarField::state: return std::string(bar.paused ? "paused" : state_name(bar.state));
    }
    return {};
  }

  Row row_of(const BarView& view) const {
    const BarTemplate& look = template_of(view, look_);
    const auto names_source = [](const BarTemplate::Part& part) { return part.field == BarField::source; };
    const bool own_source = std::any_of(look.parts.begin(), look.parts.end(), names_source);
    Row row;
    row.view = &view;
    row.cells.reserve(look.parts.size());
    for (const BarTemplate::Part& part : look.parts) {
      Cell cell{part.field, {}, part.columns, part.columns != 0};
      if (part.field == BarField::bar) {
        if (!cell.fixed) row.picture_columns = picture_columns_fair;
      } else {
        cell.text = part.field == BarField::literal ? visible(part.text) : words_of(part.field, view, own_source);
        if (cell.fixed) set_columns(cell, part.columns);
        else cell.columns = width_of(cell.text);
      }
      row.cells.push_back(std::move(cell));
    }
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const Cell& cell = row.cells[i];
      if (cell.columns == 0 && cell.field != BarField::bar && cell.field != BarField::literal) take_out(row, i--);
    }
    return row;
  }

  // Takes a part out of the row, and the blank that set it apart.
  static void take_out(Row& row, std::size_t at) {
    if (row.cells[at].field == BarField::bar && !row.cells[at].fixed) row.picture_columns = 0;
    row.cells.erase(row.cells.begin() + static_cast<std::ptrdiff_t>(at));
    const auto is_blank_at = [&](std::size_t i, bool end) {
      if (i >= row.cells.size() || row.cells[i].field != BarField::literal || row.cells[i].text.empty()) return false;
      return (end ? row.cells[i].text.back() : row.cells[i].text.front()) == ' ';
    };
    if (at > 0 && is_blank_at(at - 1, true)) {
      row.cells[at - 1].text.pop_back();
      --row.cells[at - 1].columns;
    } else if (at == 0 && is_blank_at(0, false)) {
      row.cells[0].text.erase(0, 1);
      --row.cells[0].columns;
    }
  }

  static std::size_t columns_in(const Row& row) {
    std::size_t sum = row.picture_columns;
    for (const Cell& cell : row.cells) sum += cell.columns;
    return sum;
  }

  static Cell* find(Row& row, BarField field) {
    const auto found =
        std::find_if(row.cells.begin(), row.cells.end(), [&](const Cell& cell) { return cell.field == field; });
    return found == row.cells.end() ? nullptr : &*found;
  }

  // Where rows have several descriptions, all are as long as the longest that is not too long.
  void align_descriptions(std::vector<Row>& rows) const {
    const std::size_t most = std::max<std::size_t>(room_ * 2 / 5, picture_columns_fair);
    std::size_t longest = 0;
    for (Row& row : rows) {
      if (const Cell* desc = find(row, BarField::desc); desc != nullptr && !desc->fixed)
        longest = std::max(longest, std::min(desc->columns, most));
    }
    for (Row& row : rows) {
      Cell* desc = find(row, BarField::desc);
      if (desc == nullptr || desc->fixed) continue;
      const bool last = desc == &row.cells.back();
      if (desc->columns > most || (rows.size() > 1 && !last)) set_columns(*desc, longest);
    }
  }

  // Parts give way until the row fits, the least important first.
  void fit(Row& row) const {
    if (Cell* message = find(row, BarField::message); message != nullptr && columns_in(row) > room_) {
      const std::size_t over = columns_in(row) - room_;
      if (message->columns >= over + message_columns_min) set_columns(*message, message->columns - over);
    }
    static constexpr std::array order{BarField::message, BarField::rate,  BarField::elapsed, BarField::amount,
                                      BarField::eta,     BarField::bar,   BarField::source,  BarField::state,
                                      BarField::total,   BarField::value, BarField::percent};
    for (const BarField field : order) {
      if (columns_in(row) <= room_) return;
      if (field == BarField::bar && row.picture_columns != 0) {
        row.picture_columns =
            std::max(picture_columns_min, row.picture_columns - std::min(row.picture_columns, columns_in(row) - room_));
        if (columns_in(row) <= room_) return;
      }
      if (const Cell* cell = find(row, field)) take_out(row, static_cast<std::size_t>(cell - row.cells.data()));
    }
    if (Cell* desc = find(row, BarField::desc); desc != nullptr && columns_in(row) > room_)
      set_columns(*desc, desc->columns - std::min(desc->columns, columns_in(row) - room_));
  }

  // Pictures take the room that is left, and are of one length.
  void align_pictures(std::vector<Row>& rows) const {
    std::size_t columns = picture_columns_max;
    for (const Row& row : rows) {
      if (row.picture_columns != 0)
        columns = std::min(columns, row.picture_columns + room_ - std::min(room_, columns_in(row)));
    }
    for (Row& row : rows) {
      if (row.picture_columns != 0) row.picture_columns = columns;
    }
  }

  std::string text_of(const Row& row) const {
    std::string out;
    std::size_t left = room_;
    for (const Cell& cell : row.cells) {
      if (cell.field == BarField::bar) {
        const std::size_t columns = cell.fixed ? cell.columns : row.picture_columns;
        if (columns > left || columns < picture_columns_min) continue;
        append_picture(out, row.view->bar, columns, look_, tick_);
        left -= columns;
        continue;
      }
      const std::string shorter = cell.columns > left ? cut(cell.text, left) : std::string();
      const std::string_view text = cell.columns > left ? std::string_view(shorter) : std::string_view(cell.text);
      const std::string_view dim = cell.field == BarField::message ? colour_dim(look_.colour) : std::string_view();
      out.append(dim).append(text);
      if (!dim.empty()) out += colour_end;
      left -= std::min(left, cell.columns);
    }
    while (out.ends_with(' ')) out.pop_back();
    return out;
  }

  std::size_t room_;
  const BarLook& look_;
  std::uint64_t tick_;
  Ambiguous ambiguous_;
};

}  // namespace

std::vector<std::string> bar_rows(std::span<const BarView> bars, std::size_t columns, const BarLook& look,
                                  std::uint64_t tick) {
  return Rows(columns, look, tick).draw(bars);
}

}  // namespace dlog::render
