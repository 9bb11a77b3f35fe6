#include "http/chunked.h"

#include <algorithm>
#include <charconv>

namespace llmd::http {
namespace {

constexpr int kMaxDigits = 15;  // 2^60 - 1: no overflow can be reached
constexpr size_t kMaxSkipped = 8u << 10;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; }

}  // namespace

StatusOr<size_t> ChunkDecoder::Feed(std::string_view bytes, std::vector<std::string_view>& pieces) {
  size_t at = 0;
  while (at < bytes.size() && state_ != State::kDone) {
    if (state_ == State::kData) {
      const size_t take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - at));
      pieces.push_back(bytes.substr(at, take));
      at += take;
      left_ -= take;
      if (left_ == 0) state_ = State::kDataCr;
    } else if (!Step(bytes[at++])) {
      return MakeStatus(StatusCode::kInvalidArgument, "the body's chunks are not well-formed",
                        {.code = "bad_chunk", .next_step = ""});
    }
  }
  return at;
}

bool ChunkDecoder::Step(char c) {
  switch (state_) {
    case State::kSizeStart:
    case State::kSize:
    case State::kExtension: return StepInSize(c);
    case State::kSizeLf: state_ = left_ > 0 ? State::kData : State::kTrailerStart; return c == '\n';
    case State::kDataCr: state_ = State::kDataLf; return c == '\r';
    case State::kDataLf: state_ = State::kSizeStart; return c == '\n';
    case State::kEndLf: state_ = State::kDone; return c == '\n';
    default: return StepInTrailer(c);
  }
}

bool ChunkDecoder::StepInSize(char c) {
  if (state_ != State::kExtension) {
    if (const int digit = HexValue(c); digit >= 0) {
      if (state_ == State::kSizeStart) left_ = 0, digits_ = 0;
      state_ = State::kSize;
      left_ = left_ * 16 + static_cast<uint64_t>(digit);
      return ++digits_ <= kMaxDigits;
    }
    if (state_ == State::kSizeStart) return false;
  }
  if (c == '\r') {
    state_ = State::kSizeLf;
    return true;
  }
  if (state_ == State::kSize && c != ';') return false;
  state_ = State::kExtension;
  return !IsControl(c) && ++skipped_ <= kMaxSkipped;
}

bool ChunkDecoder::StepInTrailer(char c) {
  if (state_ == State::kTrailerLf) {
    state_ = State::kTrailerStart;
    return c == '\n';
  }
  if (c == '\r') {
    state_ = state_ == State::kTrailerStart ? State::kEndLf : State::kTrailerLf;
    return true;
  }
  state_ = State::kTrailer;
  return !IsControl(c) && ++skipped_ <= kMaxSkipped;
}

void AppendChunkSize(std::string& out, size_t size) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
  out.append(digits, end);
  out += "\r\n";
}

}  // namespace llmd::http
