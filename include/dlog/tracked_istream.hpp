// Reading with a bar: a std::istream that reads from another one and shows how much of it was read.
//
//   std::ifstream file("data.csv");
//   dlog::TrackedIstream in(file, "Reading data.csv");
//   for (std::string line; std::getline(in, line);) ...
//
// <dlog/dlog.hpp> does not include it. Threads: one, as any stream. Lifetimes: the other stream must outlive it and is not to be
// used meanwhile: this one reads ahead. What nobody took is given back to a stream that can be sought in, at the end. Errors: as
// the other stream's buffer has them. The bar ends with it: finished where all was read or the length is unknown, else abandoned.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ios>
#include <istream>
#include <streambuf>
#include <string_view>

#include "dlog/progress.hpp"

#pragma GCC visibility push(default)  // the attribute of a namespace does not reach definitions elsewhere in clang
namespace dlog {

namespace progress {

class TrackedBuffer : public std::streambuf {
 public:
  TrackedBuffer(std::streambuf* from, std::string_view description, std::uint64_t total_bytes)
      : from_(from),
        begun_(from == nullptr ? pos_type(off_type(-1)) : from->pubseekoff(0, std::ios_base::cur, std::ios_base::in)),
        bar_(description, total_bytes != 0 ? total_bytes : length(), {.unit = Unit::bytes_iec}) {}
  ~TrackedBuffer() override {
    bar_.push(taken());
    if (gptr() != egptr()) from_->pubseekoff(gptr() - egptr(), std::ios_base::cur, std::ios_base::in);
  }
  TrackedBuffer(const TrackedBuffer&) = delete;
  TrackedBuffer& operator=(const TrackedBuffer&) = delete;

  ProgressBar& bar() noexcept { return bar_; }

 protected:
  int_type underflow() override {
    if (gptr() != egptr()) return traits_type::to_int_type(*gptr());
    if (from_ == nullptr) return traits_type::eof();
    before_ = taken();
    setg(bytes_.data(), bytes_.data(), bytes_.data());
    bar_.push(before_);
    // What is there, and no more: a pipe may have a line now and the next one much later.
    if (traits_type::eq_int_type(from_->sgetc(), traits_type::eof())) return traits_type::eof();
    const std::streamsize there = std::max<std::streamsize>(from_->in_avail(), 1);
    const auto most = static_cast<std::streamsize>(bytes_.size());
    const std::streamsize got = from_->sgetn(bytes_.data(), std::min(there, most));
    setg(bytes_.data(), bytes_.data(), bytes_.data() + got);
    return got > 0 ? traits_type::to_int_type(*gptr()) : traits_type::eof();
  }
  std::streamsize showmanyc() override { return from_ == nullptr ? -1 : from_->in_avail(); }
  pos_type seekoff(off_type offset, std::ios_base::seekdir from, std::ios_base::openmode mode) override {
    if (from_ == nullptr) return pos_type(off_type(-1));
    // The other stream stands where our bytes end.
    if (from == std::ios_base::cur) offset -= egptr() - gptr();
    return stand_at(from_->pubseekoff(offset, from, mode & std::ios_base::in));
  }
  pos_type seekpos(pos_type position, std::ios_base::openmode mode) override {
    if (from_ == nullptr) return pos_type(off_type(-1));
    return stand_at(from_->pubseekpos(position, mode & std::ios_base::in));
  }

 private:
  static constexpr std::size_t bytes_max = std::size_t{16} << 10;
  std::uint64_t taken() const { return before_ + static_cast<std::uint64_t>(gptr() - eback()); }
  // From here to its end; 0: not known.
  std::uint64_t length() {
    if (begun_ == pos_type(off_type(-1))) return 0;
    const pos_type end = from_->pubseekoff(0, std::ios_base::end, std::ios_base::in);
    from_->pubseekpos(begun_, std::ios_base::in);
    return end == pos_type(off_type(-1)) ? 0 : progress::count(off_type(end - begun_));
  }
  pos_type stand_at(pos_type position) {
    if (position == pos_type(off_type(-1))) return position;
    setg(bytes_.data(), bytes_.data(), bytes_.data());
    before_ = progress::count(off_type(position - begun_));
    bar_.push(before_);
    return position;
  }

  std::streambuf* from_;  // null: that of a stream without one; nothing comes
  pos_type begun_;
  ProgressBar bar_;
  std::uint64_t before_ = 0;  // taken before what is in bytes_
  std::array<char, bytes_max> bytes_{};
};

}  // namespace progress

class TrackedIstream : public std::istream {
 public:
  // `total_bytes` 0: what the other stream has from where it stands, if it can be sought in; else it is not known.
  TrackedIstream(std::istream& from, std::string_view description, std::uint64_t total_bytes = 0)
      : std::istream(nullptr), buffer_(from.rdbuf(), description, total_bytes) {
    rdbuf(&buffer_);
    if (!from.good()) setstate(from.rdstate());
  }

  ProgressBar& bar() noexcept { return buffer_.bar(); }

 private:
  progress::TrackedBuffer buffer_;
};

}  // namespace dlog
#pragma GCC visibility pop
