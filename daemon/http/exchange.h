// Exchange: one request to a model server and its answer, read as it comes. Belongs to one io
// thread. Destroying it before the answer's end closes the connection, which tells the server to
// stop; after a clean end the connection goes back to the pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "http/chunked.h"
#include "http/endpoint.h"
#include "http/head.h"
#include "http/io.h"
#include "http/upstream_pool.h"

namespace llmd::http {

// What follows the memory pieces of a body: a file, read in blocks.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next block, valid until the next call; empty at the end.
  virtual asio::awaitable<StatusOr<std::string_view>> Next() = 0;
  // From the beginning again.
  virtual void Rewind() = 0;
};

// A request as it goes out. Everything it points to must outlive Send.
struct Outgoing {
  std::string_view head;  // with its empty line; says the body's length
  std::vector<std::string_view> body;
  BodySource* source = nullptr;
  bool is_head = false;  // the method is HEAD
};

class Exchange {
 public:
  Exchange(UpstreamPool& pool, Endpoint endpoint);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Sends the request and reads the answer's head. A kept connection that turns out to be closed,
  // without a byte of an answer, is replaced once by a new one. kUnavailable (code
  // "upstream_crashed", or "bad_answer" when it was not HTTP), kDeadlineExceeded (code
  // "upstream_timeout"), kCancelled.
  asio::awaitable<Status> Send(const Outgoing& request);

  // After Send. Its views are valid as long as the exchange.
  const ResponseHead& head() const { return head_; }

  // The next bytes of the body, as pieces that are valid until the next call; none at the end.
  // Errors as Send; after one, what came before must not be taken for the whole body.
  asio::awaitable<Status> Read(std::vector<std::string_view>& pieces);
  // Read would answer without waiting: bytes came with the head.
  bool HasBuffered() const { return done_ || begin_ < end_; }
  // The body has been read to its end.
  bool done() const { return done_; }

  // From the io thread: closes the connection; what is under way ends with kCancelled.
  void Cancel();

 private:
  asio::awaitable<Status> Open(bool fresh);
  asio::awaitable<Status> Attempt(const Outgoing& request);
  asio::awaitable<ErrorCode> WriteRequest(const Outgoing& request);
  asio::awaitable<Status> ReadHead(bool to_head);
  // Reads once into the buffer, after what is in it.
  asio::awaitable<ErrorCode> Fill();
  Status TakeBody(std::vector<std::string_view>& pieces);
  Status Broken(const ErrorCode& error) const;
  void MakeRoom();
  void Finish();
  std::string_view buffered() const { return {buffer_.get() + begin_, end_ - begin_}; }

  UpstreamPool& pool_;
  Endpoint endpoint_;
  std::optional<Socket> socket_;
  bool reused_ = false;
  bool got_bytes_ = false;
  bool cancelled_ = false;
  bool reusable_ = true;
  bool done_ = false;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  std::string head_text_;
  ResponseHead head_;
  ChunkDecoder chunks_;
  uint64_t left_ = 0;
};

}  // namespace llmd::http
