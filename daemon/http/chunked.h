// The chunked transfer coding, strictly: CR LF only, hexadecimal sizes only, extensions and
// trailers skipped within bounds. One object per body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmd::http {

class ChunkDecoder {
 public:
  // Reads from `bytes` up to their end or the body's end and appends the payload's pieces, which
  // are views into `bytes`. How much was read: less than all of it only at the body's end.
  // kInvalidArgument (code "bad_chunk").
  StatusOr<size_t> Feed(std::string_view bytes, std::vector<std::string_view>& pieces);

  bool done() const { return state_ == State::kDone; }

 private:
  enum class State {
    kSizeStart,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kEndLf,
    kDone
  };
  // Takes one byte outside of a chunk's data; false when it may not stand there.
  bool Step(char c);
  bool StepInSize(char c);
  bool StepInTrailer(char c);

  State state_ = State::kSizeStart;
  uint64_t left_ = 0;  // of the chunk's data; its size while that is read
  int digits_ = 0;
  size_t skipped_ = 0;  // bytes of extensions and trailers
};

// Appends the line before a chunk of `size` bytes. After the bytes stands "\r\n".
void AppendChunkSize(std::string& out, size_t size);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace llmd::http
