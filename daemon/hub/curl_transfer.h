// CurlTransfer: one libcurl easy handle with the buffer between the loop thread, which fills it,
// and the caller, who empties it. Private to HttpTransport. Thread-safe where it says so.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "base/mutex.h"
#include "hub/http_transport.h"

namespace llmd::hub {

class CurlTransfer {
 public:
  CurlTransfer(const HttpRequest& request, const TransportOptions& options);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* easy() const { return easy_; }

  // From any thread: wakes the caller, who then gives up.
  void Cancel();
  // From the loop: the exchange is over.
  void Finish(CURLcode result);

  // What the caller sees next.
  struct Piece {
    bool head_known = false;
    bool finished = false;
    bool cancelled = false;
    bool was_paused = false;  // the loop must be asked to go on
    std::string bytes;
  };
  // Blocks until there are bytes, the end, or a cancel. For the caller's thread only.
  Piece Next();
  // Status and headers; once head_known.
  HttpResponse head();
  // The outcome; once finished.
  Status Result();

 private:
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  bool TakeHeader(std::string_view line);
  bool TakeBody(std::string_view bytes);

  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string origin_;
  char error_[CURL_ERROR_SIZE] = {};

  Mutex mutex_;
  CondVar changed_;
  HttpResponse head_ LLMD_GUARDED_BY(mutex_);
  size_t header_bytes_ LLMD_GUARDED_BY(mutex_) = 0;
  bool head_known_ LLMD_GUARDED_BY(mutex_) = false;
  std::string buffer_ LLMD_GUARDED_BY(mutex_);
  bool paused_ LLMD_GUARDED_BY(mutex_) = false;
  bool finished_ LLMD_GUARDED_BY(mutex_) = false;
  bool cancelled_ LLMD_GUARDED_BY(mutex_) = false;
  CURLcode result_ LLMD_GUARDED_BY(mutex_) = CURLE_OK;
};

}  // namespace llmd::hub
