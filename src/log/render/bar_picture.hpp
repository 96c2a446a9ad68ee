// The bar itself: how much of a length is filled. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "dlog/event.hpp"
#include "log/render/theme.hpp"

namespace dlog::render {

// Less than this is no picture.
inline constexpr std::size_t picture_columns_min = 4;
inline constexpr std::size_t picture_columns_fair = 12;  // others give way before a picture gets smaller
inline constexpr std::size_t picture_columns_max = 42;

// Appends a picture of exactly `columns` columns, its ends included. Full is full only where the total is reached; where it is
// unknown, a mark moves to and fro with `tick`.
void append_picture(std::string& out, const Bar& bar, std::size_t columns, const BarLook& look, std::uint64_t tick);

}  // namespace dlog::render
