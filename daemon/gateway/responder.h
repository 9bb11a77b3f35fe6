// Responder: writes one answer to a client, whole or as a stream. A stream ends cleanly only by its
// last piece; Break leaves it visibly broken. Belongs to one call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gateway/connection.h"
#include "http/head.h"

namespace llmd::gateway {

// What stands in an answer's head beside its length.
struct AnswerHead {
  int status = 200;
  std::string type;
  std::vector<std::pair<std::string_view, std::string>> fields;
  std::optional<uint64_t> length;  // of a stream; without it, it is chunked
};

class Responder {
 public:
  explicit Responder(ClientConnection& client) : client_(client) {}

  // What the request says about the answer. `cors_origin`: a foreign page that may read it.
  void Prepare(const http::RequestHead& head, std::string_view request_id,
               std::string_view cors_origin);
  // The connection closes behind this answer.
  void CloseAfter() { keep_alive_ = false; }
  bool keep_alive() const { return keep_alive_; }

  // A whole answer. All of these return false when the client has gone.
  http::asio::awaitable<bool> Respond(const AnswerHead& head, std::string_view body);
  http::asio::awaitable<bool> Fail(const Status& status);

  // A stream: Begin, then Send until its last piece. The head goes out with the first bytes, or by
  // Flush.
  void Begin(const AnswerHead& head);
  http::asio::awaitable<bool> Flush();
  http::asio::awaitable<bool> Send(const std::vector<std::string_view>& pieces, bool last);
  // Closes a stream that has begun so that nobody takes it for a whole one.
  void Break();

  bool started() const { return status_ != 0; }
  bool broken() const { return broken_; }
  int status() const { return status_; }

 private:
  void AppendHead(const AnswerHead& head, std::string_view framing_field);

  ClientConnection& client_;
  bool http11_ = true;
  bool keep_alive_ = true;
  bool to_head_ = false;
  bool chunked_ = false;
  bool broken_ = false;
  int status_ = 0;
  std::string request_id_;
  std::string cors_origin_;
  std::string out_;  // head and chunk sizes that go out with the next bytes
  std::vector<http::asio::const_buffer> buffers_;
};

// An answer's fields that are the same for all.
std::string_view CommonFields();

}  // namespace llmd::gateway
