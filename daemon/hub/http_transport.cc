#include "hub/http_transport.h"

#include <curl/curl.h>

#include <map>
#include <memory>
#include <mutex>

#include "base/mutex.h"
#include "base/thread.h"
#include "hub/curl_transfer.h"

namespace llmd::hub {

std::string HttpResponse::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

// Owns the multi handle and the thread that drives it. Everything that touches a running easy
// handle happens on that thread; others leave a command and wake it.
class HttpTransport::Loop {
 public:
  Loop() : multi_(curl_multi_init()), thread_("hub-http", [this] { Run(); }) {}

  ~Loop() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.Join();
    curl_multi_cleanup(multi_);
  }

  void Start(std::shared_ptr<CurlTransfer> transfer) {
    Post({Command::kStart, std::move(transfer)});
  }
  void Resume(std::shared_ptr<CurlTransfer> transfer) {
    Post({Command::kResume, std::move(transfer)});
  }
  void Drop(std::shared_ptr<CurlTransfer> transfer) { Post({Command::kDrop, std::move(transfer)}); }

 private:
  struct Command {
    enum Kind { kStart, kResume, kDrop };
    Kind kind;
    std::shared_ptr<CurlTransfer> transfer;
  };

  void Post(Command command) {
    {
      MutexLock lock(mutex_);
      commands_.push_back(std::move(command));
    }
    curl_multi_wakeup(multi_);
  }

  void Run() {
    constexpr int kNoTimeout = 3'600'000;  // libcurl's own timers shorten it
    while (Obey()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      CollectFinished();
      curl_multi_poll(multi_, nullptr, 0, kNoTimeout, nullptr);
    }
    for (const auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_, easy);
    active_.clear();
  }

  bool Obey() {
    std::vector<Command> commands;
    {
      MutexLock lock(mutex_);
      if (stopping_) return false;
      commands.swap(commands_);
    }
    for (Command& command : commands) {
      CURL* easy = command.transfer->easy();
      if (command.kind == Command::kStart) {
        active_.emplace(easy, command.transfer);
        curl_multi_add_handle(multi_, easy);
      } else if (active_.contains(easy)) {  // it may have finished meanwhile
        if (command.kind == Command::kResume) {
          curl_easy_pause(easy, CURLPAUSE_CONT);
        } else {
          curl_multi_remove_handle(multi_, easy);
          active_.erase(easy);
        }
      }
    }
    return true;
  }

  void CollectFinished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode result = message->data.result;
      curl_multi_remove_handle(multi_, easy);
      if (auto node = active_.extract(easy)) node.mapped()->Finish(result);
    }
  }

  CURLM* multi_;
  Mutex mutex_;
  bool stopping_ LLMD_GUARDED_BY(mutex_) = false;
  std::vector<Command> commands_ LLMD_GUARDED_BY(mutex_);
  std::map<CURL*, std::shared_ptr<CurlTransfer>> active_;  // the loop thread's own
  JoiningThread thread_;                                   // last: uses everything above
};

HttpTransport::HttpTransport(TransportOptions options) : options_(std::move(options)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  loop_ = std::make_unique<Loop>();
}

HttpTransport::~HttpTransport() = default;

namespace {

// Gives one piece to where it belongs.
Status Deliver(std::string_view bytes, bool streaming, const HttpRequest& request,
               const BodyStream* stream, HttpResponse& response) {
  if (bytes.empty()) return OkStatus();
  if (streaming) return stream->on_bytes(bytes);
  if (response.body.size() + bytes.size() > request.max_body) {
    return MakeStatus(StatusCode::kResourceExhausted,
                      fmt::format("the answer is larger than {} bytes", request.max_body),
                      {.code = "file_too_large",
                       .next_step = "Check the endpoint: HF_ENDPOINT or hub.endpoint."});
  }
  response.body.append(bytes);
  return OkStatus();
}

}  // namespace

StatusOr<HttpResponse> HttpTransport::Perform(const HttpRequest& request, const BodyStream* stream,
                                              const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(cancel.Check());
  const auto transfer = std::make_shared<CurlTransfer>(request, options_);
  const CancelRegistration on_cancel = cancel.OnCancel([transfer] { transfer->Cancel(); });
  loop_->Start(transfer);

  HttpResponse response;
  bool head_seen = false;
  bool streaming = false;
  Status status;
  for (bool finished = false; status.ok() && !finished;) {
    const CurlTransfer::Piece piece = transfer->Next();
    finished = piece.finished;
    if (piece.cancelled) {
      status = Cancelled();
      break;
    }
    if (piece.was_paused) loop_->Resume(transfer);
    if (piece.head_known && !head_seen) {
      head_seen = true;
      response = transfer->head();
      if (stream != nullptr) {
        StatusOr<bool> wanted = stream->on_head(response);
        status = wanted.status();
        streaming = wanted.ok() && *wanted;
      }
    }
    if (status.ok()) status = Deliver(piece.bytes, streaming, request, stream, response);
    if (finished && status.ok()) status = transfer->Result();
  }
  if (status.ok()) return response;
  loop_->Drop(transfer);
  return status;
}

}  // namespace llmd::hub
