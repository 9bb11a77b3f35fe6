#include "gateway/grpc_web/bridge.h"

#include <google/rpc/status.pb.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <llmd/v1/jobs.pb.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/grpc_web/frame.h"
#include "gateway/grpc_web/generic_call.h"
#include "gateway/openai_error.h"
#include "gateway/proxy.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;

constexpr char kType[] = "application/grpc-web+proto";
constexpr char kTextType[] = "application/grpc-web-text+proto";
constexpr char kCallerKey[] = "x-llmd-caller";
constexpr char kCaller[] = "http";

bool IsText(std::string_view media_type) {
  return media_type.starts_with("application/grpc-web-text");
}

bool IsGrpcWeb(std::string_view media_type) {
  constexpr std::string_view kTypes[] = {"application/grpc-web", kType, "application/grpc-web-text",
                                         kTextType};
  return std::find(std::begin(kTypes), std::end(kTypes), media_type) != std::end(kTypes);
}

Trailers ToTrailers(const Status& status) {
  const ErrorInfo info = GetErrorInfo(status);
  v1::Error error;
  error.set_code(info.code);
  error.set_message(Message(status));
  error.set_next_step(info.next_step);
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(Message(status));
  details.add_details()->PackFrom(error);
  return {.code = static_cast<int>(status.code()),
          .message = Message(status),
          .details = details.SerializeAsString()};
}

AnswerHead HeadFor(bool text) {
  AnswerHead head;
  head.type = text ? kTextType : kType;
  head.fields.emplace_back("Cache-Control", "no-store");
  return head;
}

// "/llmd.v1.System/Info": a service and a method.
bool IsMethod(std::string_view path) {
  const size_t slash = path.find('/', 1);
  return slash != path.npos && slash + 1 < path.size() && path.find('/', slash + 1) == path.npos;
}

// Ends the call whatever happens to who awaits it.
struct AbandonAtEnd {
  explicit AbandonAtEnd(GenericCall& call_in) : call(call_in) {}
  ~AbandonAtEnd() { call.Abandon(); }
  GenericCall& call;
};

class Bridge {
 public:
  Bridge(Call& call, bool text)
      : call_(call), text_(text), rpc_(std::make_shared<GenericCall>(call.client.executor())) {}

  asio::awaitable<void> Run() {
    const StatusOr<std::string> message = ParseRequestFrame(call_.body.bytes(), text_);
    Status status = message.status();
    if (status.ok()) status = SetContext();
    if (!status.ok()) {
      co_await FailGrpcWeb(call_, status);
      co_return;
    }
    call_.body.Release();
    const InterruptScope scope(call_, [this] { rpc_->Cancel(); });
    grpc::GenericStub stub(call_.gateway.parts.control_plane);
    rpc_->Start(stub, std::string(call_.match.path), *message);
    const AbandonAtEnd abandon(*rpc_);
    co_await Relay();
  }

 private:
  Status SetContext() {
    rpc_->context().AddMetadata(kCallerKey, kCaller);
    if (const auto parent = call_.head.Get("traceparent"); IsTraceParent(parent)) {
      rpc_->context().AddMetadata("traceparent", std::string(parent));
    }
    if (!call_.head.Has("grpc-timeout")) return OkStatus();
    const auto timeout = ParseGrpcTimeout(call_.head.Get("grpc-timeout"));
    if (!timeout) return BadRequest("invalid_frame", "the gRPC-web request's timeout is no time");
    rpc_->context().set_deadline(std::chrono::system_clock::now() +
                                 std::chrono::milliseconds(*timeout));
    return OkStatus();
  }

  asio::awaitable<void> Relay() {
    co_await rpc_->Started();
    const AnswerHead head = HeadFor(text_);
    call_.out.Begin(head);
    bool writable = true;
    // A silent stream must still show that it is up.
    if (!rpc_->HasMessage()) writable = co_await call_.out.Flush();
    for (;;) {
      const std::optional<std::string> message = co_await rpc_->Next();
      if (!message) break;
      if (!writable) continue;
      writable = co_await SendMessage(*message);
      if (!writable) rpc_->Cancel();
    }
    if (!writable || call_.client_gone) co_return;
    const grpc::Status& end = rpc_->status();
    Trailers trailers{.code = static_cast<int>(end.error_code()),
                      .message = end.error_message(),
                      .details = end.error_details()};
    if (call_.aborted) trailers = ToTrailers(*call_.aborted);
    const std::string frame = Encoded(TrailerFrame(trailers));
    const std::vector<std::string_view> pieces = {frame};
    co_await call_.out.Send(pieces, true);
  }

  asio::awaitable<bool> SendMessage(const std::string& message) {
    const std::string prefix = MessagePrefix(message.size());
    std::string encoded;
    std::vector<std::string_view> pieces = {prefix, message};
    if (text_) {
      encoded = EncodeBase64(prefix + message, true);
      pieces = {encoded};
    }
    co_return co_await call_.out.Send(pieces, false);
  }

  std::string Encoded(std::string frame) const {
    return text_ ? EncodeBase64(frame, true) : std::move(frame);
  }

  Call& call_;
  const bool text_;
  std::shared_ptr<GenericCall> rpc_;
};

}  // namespace

asio::awaitable<void> ServeGrpcWeb(Call& call) {
  const std::string type = MediaTypeOf(call.head.Get("content-type"));
  if (!IsGrpcWeb(type)) {
    const Status refused = BadRequest("unsupported_media_type", "this route takes gRPC-web only");
    co_await call.out.Fail(refused);
    co_return;
  }
  if (!IsMethod(call.match.path) || call.gateway.parts.control_plane == nullptr) {
    const Status unknown = Unimplemented("there is no {}", call.match.path);
    co_await FailGrpcWeb(call, unknown);
    co_return;
  }
  Bridge bridge(call, IsText(type));
  co_await bridge.Run();
}

asio::awaitable<void> FailGrpcWeb(Call& call, Status why) {
  const bool text = IsText(MediaTypeOf(call.head.Get("content-type")));
  std::string frame = TrailerFrame(ToTrailers(why));
  if (text) frame = EncodeBase64(frame, true);
  const AnswerHead head = HeadFor(text);
  co_await call.out.Respond(head, frame);
}

}  // namespace llmd::gateway
