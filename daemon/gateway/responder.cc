#include "gateway/responder.h"

#include <algorithm>

#include "gateway/openai_error.h"
#include "http/chunked.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;

// No cache keeps an answer, no browser guesses its type, no other page frames or embeds it.
constexpr std::string_view kCommonFields =
    "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n";
constexpr std::string_view kExposed =
    "grpc-status, grpc-message, grpc-status-details-bin, "
    "x-request-id, retry-after";

}  // namespace

std::string_view CommonFields() { return kCommonFields; }

void Responder::Prepare(const http::RequestHead& head, std::string_view request_id,
                        std::string_view cors_origin) {
  http11_ = head.http11;
  keep_alive_ = keep_alive_ && head.keep_alive;
  to_head_ = head.method == "HEAD";
  request_id_ = request_id;
  cors_origin_ = cors_origin;
}

void Responder::AppendHead(const AnswerHead& head, std::string_view framing_field) {
  status_ = head.status;
  out_.reserve(512);
  http::AppendStatusLine(out_, head.status);
  if (!head.type.empty()) http::AppendField(out_, "Content-Type", head.type);
  out_ += framing_field;
  out_ += kCommonFields;
  if (!request_id_.empty()) http::AppendField(out_, "X-Request-Id", request_id_);
  for (const auto& [name, value] : head.fields) http::AppendField(out_, name, value);
  if (!cors_origin_.empty()) {
    http::AppendField(out_, "Access-Control-Allow-Origin", cors_origin_);
    http::AppendField(out_, "Access-Control-Expose-Headers", kExposed);
    http::AppendField(out_, "Vary", "Origin");
  }
  if (!keep_alive_) {
    out_ += "Connection: close\r\n";
  } else if (!http11_) {
    out_ += "Connection: keep-alive\r\n";
  }
  out_ += "\r\n";
}

asio::awaitable<bool> Responder::Respond(const AnswerHead& head, std::string_view body) {
  std::string framing;
  if (head.status != 204 && head.status != 304) {
    http::AppendField(framing, "Content-Length", body.size());
  }
  AppendHead(head, framing);
  buffers_.assign(1, http::Bytes(out_));
  if (!to_head_ && !body.empty()) buffers_.push_back(http::Bytes(body));
  const http::ErrorCode error = co_await client_.Write(buffers_);
  out_.clear();
  broken_ = static_cast<bool>(error);
  co_return !broken_;
}

asio::awaitable<bool> Responder::Fail(const Status& status) {
  AnswerHead head;
  head.status = HttpStatusOf(status);
  head.type = "application/json";
  if (const int seconds = RetryAfterSeconds(status); seconds > 0) {
    head.fields.emplace_back("Retry-After", std::to_string(seconds));
  }
  if (head.status == 401) head.fields.emplace_back("WWW-Authenticate", "Bearer");
  const std::string body = ErrorBody(status) + "\n";
  co_return co_await Respond(head, body);
}

void Responder::Begin(const AnswerHead& head) {
  std::string framing;
  chunked_ = !head.length && http11_;
  if (head.length) {
    http::AppendField(framing, "Content-Length", *head.length);
  } else if (chunked_) {
    framing = "Transfer-Encoding: chunked\r\n";
  } else {
    keep_alive_ = false;  // the end of the connection is the end of the answer
  }
  AppendHead(head, framing);
}

asio::awaitable<bool> Responder::Flush() {
  buffers_.assign(1, http::Bytes(out_));
  const http::ErrorCode error = co_await client_.Write(buffers_);
  out_.clear();
  broken_ = broken_ || error;
  co_return !broken_;
}

asio::awaitable<bool> Responder::Send(const std::vector<std::string_view>& pieces, bool last) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  if (to_head_) size = 0;
  if (chunked_ && size > 0) http::AppendChunkSize(out_, size);
  buffers_.clear();
  buffers_.reserve(pieces.size() + 2);
  if (!out_.empty()) buffers_.push_back(http::Bytes(out_));
  if (size > 0) {
    for (const std::string_view piece : pieces) buffers_.push_back(http::Bytes(piece));
  }
  if (chunked_ && !to_head_) {
    constexpr std::string_view kEnds = "\r\n0\r\n\r\n";
    if (size > 0) buffers_.push_back(http::Bytes(kEnds.substr(0, last ? kEnds.size() : 2)));
    if (size == 0 && last) buffers_.push_back(http::Bytes(http::kLastChunk));
  }
  const http::ErrorCode error = co_await client_.Write(buffers_);
  out_.clear();
  broken_ = broken_ || error;
  co_return !broken_;
}

void Responder::Break() {
  broken_ = true;
  keep_alive_ = false;
  // A chunked answer without its last chunk, or one shorter than its length, is broken for all to
  // see. One that ends with the connection is not, unless the connection ends with an error.
  if (chunked_ || http11_) {
    client_.Close();
  } else {
    client_.Reset();
  }
}

}  // namespace llmd::gateway
