// HttpTransport: HTTP requests over one libcurl multi handle, driven by one thread of its own.
// Callers block on their own threads with a cancel token; bodies are handed to them there, so that
// hashing and disk writes never hold up the network. Redirects and retries are the caller's.
// Thread-safe. Owned by HttpHub; outlives every request.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"

namespace llmd::hub {

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  bool bulk = false;                 // file contents: HTTP/1.1 and no compression
  bool fresh_connection = false;
  size_t max_body = 1u << 20;  // of a body that is collected
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                          // unless it was streamed

  std::string Header(std::string_view lower_case_name) const;
};

// Takes a body piece by piece; both are called on the thread that called Perform.
struct BodyStream {
  // Sees status and headers. True: the body goes to on_bytes; false: it is collected.
  std::function<StatusOr<bool>(const HttpResponse& head)> on_head;
  std::function<Status(std::string_view bytes)> on_bytes;
};

struct TransportOptions {
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds stall_timeout{30};
  std::string user_agent = "llmd";
  std::string ca_file;
  std::string ca_folder;
  std::string http_proxy;
  std::string https_proxy;
  std::string no_proxy;
};

class HttpTransport {
 public:
  explicit HttpTransport(TransportOptions options);
  ~HttpTransport();
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  // One exchange, whatever its status. kUnavailable (code "hub_unreachable", "tls_untrusted") when
  // the connection failed, broke or stalled; kResourceExhausted (code "file_too_large") when a
  // collected body is over max_body; kCancelled; or what the stream's functions return.
  StatusOr<HttpResponse> Perform(const HttpRequest& request, const BodyStream* stream,
                                 const CancelToken& cancel);

 private:
  class Loop;
  TransportOptions options_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace llmd::hub
