#include "gateway/session.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/logging.h"
#include "gateway/body_reader.h"
#include "gateway/generate.h"
#include "gateway/grpc_web/bridge.h"
#include "gateway/local_routes.h"
#include "gateway/openai_error.h"
#include "gateway/proxy.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;

constexpr uint64_t kGrpcWebBytes = 8u << 20;  // twice what gRPC takes, for base64
constexpr int kClientClosedRequest = 499;
constexpr char kModelField[] = "model";

Status ShuttingDown() {
  return MakeStatus(StatusCode::kUnavailable, "llmd is shutting down",
                    {.code = "shutting_down", .next_step = "Try again in a moment."});
}

// Letters, digits and ._- up to 128, as ids are; else one of ours.
std::string RequestId(std::string_view given, std::mt19937_64& random) {
  const bool plain =
      !given.empty() && given.size() <= 128 && std::all_of(given.begin(), given.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
      });
  if (plain) return std::string(given);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(random()));
  return digits;
}

uint64_t BodyLimit(const Call& call) {
  const GatewayLimits& limits = call.gateway.options.limits;
  if (call.match.route->handler == Handler::kGrpcWeb) return kGrpcWebBytes;
  return call.form ? limits.multipart_bytes : limits.json_bytes;
}

}  // namespace

Session::Session(GatewayState& gateway, IoThread& thread, http::Socket socket)
    : gateway_(gateway),
      thread_(thread),
      client_(std::make_shared<ClientConnection>(std::move(socket), gateway.options.limits.write)) {
  thread_.sessions.insert(this);
}

Session::~Session() {
  thread_.sessions.erase(this);
  --gateway_.connections;
}

asio::awaitable<void> Session::Run() {
  const auto self = shared_from_this();
  for (bool more = true; more && !gateway_.draining;) more = co_await ServeOne();
  if (client_->is_open() && unread_body_) co_await client_->Linger();
  client_->Close();
}

asio::awaitable<bool> Session::ServeOne() {
  Call call(gateway_, thread_, *client_);
  const bool read = co_await ReadHead(call);
  if (!read) {
    if (call.out.started()) Finish(call);
    co_return false;
  }
  call_ = &call;
  co_await Serve(call);
  call_ = nullptr;
  Finish(call);
  co_return call.out.keep_alive() && !call.out.broken() && !call.interrupted();
}

asio::awaitable<bool> Session::ReadHead(Call& call) {
  const GatewayLimits& limits = gateway_.options.limits;
  std::string& unread = client_->unread();
  idle_ = unread.empty();
  client_->SetDeadline(idle_ ? limits.idle : limits.head);
  size_t length = 0;
  for (size_t searched = 0; length == 0;) {
    length = http::FindHeadEnd(unread, searched);
    if (length > 0) break;
    searched = unread.size();
    if (searched > limits.head_bytes) break;
    const http::ErrorCode error = co_await client_->Fill();
    if (idle_) client_->SetDeadline(limits.head);
    idle_ = false;
    if (!error) continue;
    if (!unread.empty() && client_->deadline_expired()) {
      co_await Refuse(call, BadRequest("request_timeout", "the head did not come in time"));
    }
    co_return false;
  }
  client_->ClearDeadline();
  call.started = std::chrono::steady_clock::now();
  // Without an end it is too large, which the parser says.
  call.head_text = unread.substr(0, length > 0 ? length : unread.size());
  unread.erase(0, call.head_text.size());
  const http::HeadLimits head_limits{.bytes = limits.head_bytes, .fields = limits.head_fields};
  const Status parsed = http::ParseRequestHead(call.head_text, head_limits, call.head);
  if (parsed.ok()) co_return true;
  co_await Refuse(call, parsed);
  co_return false;
}

asio::awaitable<void> Session::Serve(Call& call) {
  const Status ready = co_await Prepare(call);
  if (ready.code() == StatusCode::kCancelled) {
    call.client_gone = true;
  } else if (!ready.ok()) {
    co_await Refuse(call, ready);
  } else if (call.head.method == "OPTIONS") {
    co_await AnswerOptions(call);
  } else {
    client_->Watch([&call] {
      call.client_gone = true;
      call.Interrupt();
    });
    co_await Dispatch(call);
    client_->Unwatch();
  }
}

// From the head to a whole request that may be served.
asio::awaitable<Status> Session::Prepare(Call& call) {
  const Status admitted = Admit(call);
  const bool has_body = call.head.framing != http::Framing::kNone;
  unread_body_ = has_body;
  if (!admitted.ok() || !has_body) co_return admitted;
  if (call.head.method != "POST") {
    co_return BadRequest("unexpected_body", "only POST carries a body here");
  }
  if (call.head.Has("expect") && client_->unread().empty()) {
    if (call.head.content_length > BodyLimit(call)) {
      co_return BadRequest("body_too_large", "the body is too large");
    }
    std::vector<asio::const_buffer> go_on = {http::Bytes("HTTP/1.1 100 Continue\r\n\r\n")};
    const http::ErrorCode error = co_await client_->Write(go_on);
    if (error) co_return Cancelled();
  }
  const Status read = co_await ReadBody(call, BodyLimit(call));
  unread_body_ = !read.ok();
  co_return read;
}

Status Session::Admit(Call& call) {
  const http::RequestHead& head = call.head;
  call.request_id = RequestId(head.Get("x-request-id"), thread_.random);
  call.out.Prepare(head, call.request_id, gateway_.access.AllowedForeignOrigin(head));
  if (gateway_.draining) call.out.CloseAfter();
  const StatusOr<Match> match = FindRoute(head.method, head.target);
  const bool page = match.ok() && match->route->handler == Handler::kPage;
  LLMD_RETURN_IF_ERROR(gateway_.access.CheckSource(head, page));
  if (head.Has("expect") && !http::EqualsIgnoringCase(head.Get("expect"), "100-continue")) {
    return BadRequest("unsupported_expectation", "only 'Expect: 100-continue' is understood");
  }
  if (head.method == "OPTIONS") return OkStatus();
  if (!match.ok()) return match.status();
  call.match = *match;
  const bool grpc_web = match->route->handler == Handler::kGrpcWeb;
  call.to_control = grpc_web;
  if (grpc_web || (!gateway_.access.open_routes() && !match->route->open_off_loopback)) {
    LLMD_RETURN_IF_ERROR(gateway_.access.CheckToken(head));
  }
  if (head.method != "POST" || grpc_web) return OkStatus();
  LLMD_RETURN_IF_ERROR(AccessPolicy::CheckContentType(head));
  const std::string_view type = head.Get("content-type");
  if (MediaTypeOf(type) == "application/json") return OkStatus();
  const std::string boundary = BoundaryOf(type);
  if (boundary.empty()) return BadRequest("invalid_multipart", "the form names no boundary");
  call.form.emplace(boundary, kModelField);
  return OkStatus();
}

asio::awaitable<void> Session::Refuse(Call& call, Status why) {
  if (unread_body_ || call.request_id.empty()) call.out.CloseAfter();
  unread_body_ = unread_body_ || call.request_id.empty();
  const std::string code = GetErrorInfo(why).code;
  if (code == "foreign_host" || code == "foreign_origin" || code == "unauthenticated") {
    thread_.metrics.AuthFailed(code);
  }
  if (call.to_control) {
    co_await FailGrpcWeb(call, why);
  } else {
    co_await call.out.Fail(why);
  }
}

// A page of a listed origin asks what it may send. Private-network access is not granted.
asio::awaitable<void> Session::AnswerOptions(Call& call) {
  AnswerHead head;
  head.status = 204;
  const std::string methods = AllowedMethods(call.head.target);
  head.fields.emplace_back("Allow", methods + (methods.empty() ? "" : ", ") + "OPTIONS");
  if (!gateway_.access.AllowedForeignOrigin(call.head).empty() &&
      call.head.Has("access-control-request-method")) {
    head.fields.emplace_back("Access-Control-Allow-Methods", methods);
    head.fields.emplace_back("Access-Control-Allow-Headers",
                             "authorization, content-type, grpc-timeout, x-grpc-web, "
                             "x-request-id, x-user-agent");
    head.fields.emplace_back("Access-Control-Max-Age", "600");
  }
  constexpr std::string_view kNothing;
  co_await call.out.Respond(head, kNothing);
}

asio::awaitable<void> Session::Dispatch(Call& call) {
  std::string failure;
  try {
    switch (call.match.route->handler) {
      case Handler::kProxy: co_await ServeProxy(call); break;
      case Handler::kGenerate: co_await ServeGenerate(call); break;
      case Handler::kGrpcWeb: co_await ServeGrpcWeb(call); break;
      default: co_await ServeLocal(call);
    }
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (failure.empty()) co_return;
  Log("gateway").Error("a request failed", {{"why", failure}, {"request_id", call.request_id}});
  if (call.out.started()) {
    call.out.Break();
  } else {
    const Status internal = Internal("llmd failed to answer this request");
    co_await call.out.Fail(internal);
  }
}

void Session::Finish(Call& call) {
  const int status = call.out.started() ? call.out.status() : kClientClosedRequest;
  const auto took = std::chrono::steady_clock::now() - call.started;
  thread_.metrics.Ended(call.model, call.match.path, status, took);
}

void Session::Drain() {
  if (idle_) return Close();
  if (call_ != nullptr && call_->to_control) Abort();
}

void Session::Abort() {
  if (call_ == nullptr) return Close();
  call_->out.CloseAfter();
  call_->aborted = ShuttingDown();
  call_->Interrupt();
}

}  // namespace llmd::gateway
