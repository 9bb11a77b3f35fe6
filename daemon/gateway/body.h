// RequestBody: a request's body as it was read, with a few edits. Bytes stay where they were read:
// an edit is a piece of other text between two pieces of the body. Large forms go to an unlinked
// file. Used by one io thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/status.h"

namespace llmd::gateway {

// What all requests together may hold in memory. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(uint64_t limit) : limit_(limit) {}
  bool TryTake(uint64_t bytes);
  void Give(uint64_t bytes) { taken_ -= bytes; }
  uint64_t taken() const { return taken_; }

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> taken_{0};
};

class RequestBody {
 public:
  explicit RequestBody(ByteBudget& budget) : budget_(budget) {}
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;
  ~RequestBody() { Release(); }

  // How much will come, when that is known: no more is taken than that.
  void Expect(uint64_t bytes) { expected_ = bytes; }

  // Makes room for `bytes` more and returns where they go; Commit says how many came.
  // kUnavailable (code "too_busy") when all requests together hold too much.
  StatusOr<char*> Prepare(size_t bytes);
  void Commit(size_t bytes) { size_ += bytes; }
  Status Append(std::string_view bytes);

  // The bytes in memory: all of them unless spilled.
  std::string_view bytes() const { return {memory_.data(), size_}; }

  // Moves what is in memory to the end of an unlinked file in `folder`. Blocks.
  Status Spill(const std::filesystem::path& folder);
  bool spilled() const { return file_.valid(); }
  int file() const { return file_.get(); }

  // Replaces the bytes [begin, end) of the original body; calls go from front to back.
  void Edit(uint64_t begin, uint64_t end, std::string text);

  // The body after the edits: literal text, or a range of the original.
  struct Piece {
    std::string_view text;
    uint64_t begin = 0;
    uint64_t end = 0;
    bool original = false;
  };
  std::vector<Piece> Pieces() const;
  // The same as views; only when not spilled.
  std::vector<std::string_view> Views() const;
  uint64_t edited_size() const;

  // Frees everything.
  void Release();

 private:
  struct Change {
    uint64_t begin;
    uint64_t end;
    std::string text;
  };
  uint64_t original_size() const { return spilled_bytes_ + size_; }

  ByteBudget& budget_;
  uint64_t taken_ = 0;
  uint64_t expected_ = UINT64_MAX;
  std::string memory_;
  size_t size_ = 0;
  FileDescriptor file_;
  uint64_t spilled_bytes_ = 0;
  std::vector<Change> changes_;
};

}  // namespace llmd::gateway
