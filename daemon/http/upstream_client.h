// UpstreamClient: requests to a model server over its Unix socket or loopback TCP, for callers that
// are not the proxy (the Agent RPCs, probes). One io thread of its own; callbacks run there and
// must not block. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"

namespace llmd::http {

struct UpstreamRequest {
  std::string endpoint;  // "unix:///path" or "http://127.0.0.1:port"
  std::string method = "POST";
  std::string target;  // "/v1/chat/completions"
  std::string body;    // JSON; empty for GET
};

struct UpstreamHandler {
  // Once, when the head has come.
  std::function<void(int status, std::string_view content_type)> on_head;
  // Body bytes as they come. The next read starts after it returns.
  std::function<void(std::string_view bytes)> on_data;
  // Once, last: OK when the answer ended cleanly; kUnavailable (code "upstream_crashed") when the
  // connection broke; kCancelled.
  std::function<void(Status)> on_end;
};

class UpstreamClient {
 public:
  virtual ~UpstreamClient() = default;
  // Returns at once. Cancelling closes the connection: the model server stops generating.
  virtual void Send(UpstreamRequest request, UpstreamHandler handler, CancelToken cancel) = 0;
};

std::unique_ptr<UpstreamClient> MakeUpstreamClient();

// Splits server-sent events: feed bytes, get each event's data (joined "data:" lines).
class SseSplitter {
 public:
  // `on_data` is called for each complete event. kResourceExhausted when one event is over 8 MiB.
  Status Feed(std::string_view bytes, const std::function<void(std::string_view data)>& on_data);

 private:
  void EndLine(std::string_view line, const std::function<void(std::string_view data)>& on_data);

  std::string line_;  // that has not ended yet
  std::string data_;  // of the event that has not ended yet
  bool has_data_ = false;
  bool after_cr_ = false;
};

}  // namespace llmd::http
