// A terminal in memory, for whole-screen assertions, that throws on every byte that no frame may emit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "log/render/terminal_model.hpp"
#include "support/frame_bytes.hpp"

namespace dlog::test {

using Rows = std::vector<std::string>;

class Terminal {
 public:
  Terminal(int columns, int rows) : model_({columns, rows}) {}

  // Throws std::runtime_error, and shows nothing of the bytes, where FrameBytes finds a fault.
  void write(std::string_view bytes);
  void resize(int columns, int rows) { model_.resize({columns, rows}); }

  // See TerminalModel.
  Rows screen() const { return model_.screen(); }
  Rows text() const { return model_.text(); }
  const Rows& gone() const { return model_.gone(); }
  int column() const { return model_.column(); }
  int row() const { return model_.row(); }

  bool settled() const { return bytes_.settled(); }

 private:
  render::TerminalModel model_;
  FrameBytes bytes_{};
};

}  // namespace dlog::test
