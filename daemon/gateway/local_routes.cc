#include "gateway/local_routes.h"

#include <algorithm>
#include <utility>

#include "gateway/body_scan.h"
#include "gateway/inference_request.h"
#include "gateway/model_list.h"
#include "gateway/openai_error.h"
#include "gateway/proxy.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;

// Scripts, styles and connections of our own only; Mantine puts style elements into the page.
constexpr char kPagePolicy[] =
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

AnswerHead Json() {
  AnswerHead head;
  head.type = "application/json";
  head.fields.emplace_back("Cache-Control", "no-store");
  return head;
}

asio::awaitable<void> ServeModels(Call& call) {
  serving::ModelRouter& router = call.gateway.parts.router;
  std::function<std::string()> list = [&router] { return ModelList(router); };
  const std::string body = co_await RunOn(call.gateway.work, std::move(list));
  const AnswerHead head = Json();
  co_await call.out.Respond(head, body);
}

asio::awaitable<void> ServeModel(Call& call) {
  std::string name;
  StatusOr<ModelRecord> record = BadRequest("invalid_model_name", "the name is badly encoded");
  if (PercentDecode(call.match.rest, name)) record = call.gateway.parts.router.Resolve(name);
  if (!record.ok()) {
    co_await call.out.Fail(record.status());
    co_return;
  }
  const std::string body = ModelEntry(*record) + "\n";
  const AnswerHead head = Json();
  co_await call.out.Respond(head, body);
}

// The model that a GET's query or a POST's body names; without a name the only one there is.
asio::awaitable<Status> InfoName(Call& call, std::string& name) {
  if (call.head.method != "POST") {
    name = QueryValue(call.match.query, "model");
    co_return OkStatus();
  }
  std::vector<JsonMember> members;
  const Status scanned = co_await ScanBody(call, members);
  if (!scanned.ok() || FindMember(members, "model") == nullptr) co_return scanned;
  const StatusOr<ModelField> field = FindModel(members);
  if (field.ok()) name = field->name;
  co_return field.status();
}

asio::awaitable<void> ServeModelInfo(Call& call) {
  std::string name;
  std::string body;
  Status status = co_await InfoName(call, name);
  if (status.ok()) {
    serving::ModelRouter& router = call.gateway.parts.router;
    std::function<Status()> describe = [&] {
      LLMD_ASSIGN_OR_RETURN(body, ModelInfo(router, name));
      return OkStatus();
    };
    status = co_await RunStatusOn(call.gateway.work, std::move(describe));
  }
  if (!status.ok()) {
    co_await FailUpstream(call, status);
    co_return;
  }
  const AnswerHead head = Json();
  co_await call.out.Respond(head, body);
}

asio::awaitable<void> ServeMetrics(Call& call) {
  Metrics& metrics = call.gateway.parts.metrics;
  std::function<std::string()> render = [&metrics] { return metrics.Render(); };
  const std::string body = co_await RunOn(call.gateway.work, std::move(render));
  AnswerHead head;
  head.type = "text/plain; version=0.0.4; charset=utf-8";
  co_await call.out.Respond(head, body);
}

asio::awaitable<void> ServeProbe(Call& call) {
  Status status;
  if (call.match.route->handler == Handler::kReady) {
    if (call.gateway.parts.ready) status = call.gateway.parts.ready();
    if (call.gateway.draining) {
      status = MakeStatus(StatusCode::kUnavailable, "llmd is shutting down",
                          {.code = "shutting_down", .next_step = ""});
    }
  }
  if (!status.ok()) {
    co_await call.out.Fail(status);
    co_return;
  }
  const AnswerHead head = Json();
  constexpr std::string_view kOk = "{\"status\":\"ok\"}\n";
  co_await call.out.Respond(head, kOk);
}

asio::awaitable<void> ServePage(Call& call) {
  const StaticFiles::File* file = call.gateway.files.Find(call.match.path);
  if (file == nullptr) {
    const bool none = call.gateway.files.empty();
    const Status missing =
        MakeStatus(StatusCode::kNotFound,
                   none ? "this llmd was built without its dashboard" : "there is no such page",
                   {.code = none ? "no_dashboard" : "unknown_route", .next_step = ""});
    co_await call.out.Fail(missing);
    co_return;
  }
  AnswerHead head;
  head.fields.emplace_back("ETag", file->etag);
  head.fields.emplace_back("Cache-Control",
                           file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  head.fields.emplace_back("Content-Security-Policy", kPagePolicy);
  head.fields.emplace_back("Referrer-Policy", "no-referrer");
  head.fields.emplace_back("X-Frame-Options", "DENY");
  head.fields.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  const std::string_view known = call.head.Get("if-none-match");
  std::string_view content = file->content;
  if (http::HasToken(known, file->etag) || known == "*") {
    head.status = 304;
    content = {};
  } else {
    head.type = file->type;
  }
  co_await call.out.Respond(head, content);
}

}  // namespace

asio::awaitable<void> ServeLocal(Call& call) {
  switch (call.match.route->handler) {
    case Handler::kModels: co_await ServeModels(call); break;
    case Handler::kModel: co_await ServeModel(call); break;
    case Handler::kModelInfo: co_await ServeModelInfo(call); break;
    case Handler::kMetrics: co_await ServeMetrics(call); break;
    case Handler::kLive:
    case Handler::kReady: co_await ServeProbe(call); break;
    default: co_await ServePage(call);
  }
}

}  // namespace llmd::gateway
