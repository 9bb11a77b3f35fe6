#include "gateway/generate.h"

#include <algorithm>
#include <utility>

#include "gateway/acquire.h"
#include "gateway/body_scan.h"
#include "gateway/generate_translation.h"
#include "gateway/inference_request.h"
#include "gateway/openai_error.h"
#include "gateway/proxy.h"
#include "http/upstream_client.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;
using serving::Lease;

constexpr char kOwnRoute[] = "/api/generate";
constexpr char kChat[] = "/v1/chat/completions";
constexpr char kCompletion[] = "/v1/completions";
constexpr size_t kMaxAnswer = 8u << 20;

// The route that becomes of a prompt: a chat where the model was made for it.
std::string_view RouteFor(const Lease& lease, bool raw) {
  const std::vector<std::string>& can = lease.target().capabilities;
  const bool chats = std::find(can.begin(), can.end(), "chat") != can.end();
  if (chats && !raw && lease.Allows("POST", kChat)) return kChat;
  if (lease.Allows("POST", kCompletion)) return kCompletion;
  return lease.Allows("POST", kChat) && !raw ? kChat : "";
}

Status NoText(const std::string& model) {
  return MakeStatus(StatusCode::kNotFound, fmt::format("{} does not generate text", model),
                    {.code = "route_not_supported", .next_step = ""});
}

// A request translated to one of OpenAI's routes, and its answer translated back.
class Translation {
 public:
  Translation(Call& call, Lease lease, http::Endpoint endpoint)
      : call_(call), lease_(std::move(lease)), exchange_(call.thread.pool, std::move(endpoint)) {}

  asio::awaitable<void> Run(std::string_view route, std::string body, bool stream) {
    const InterruptScope scope(call_, [this] { exchange_.Cancel(); });
    const RequestMetrics::InFlight counted(call_.thread.metrics.InFlightOf(call_.model));
    const std::string head = UpstreamHead(call_, route, "application/json", body.size());
    http::Outgoing outgoing;
    outgoing.head = head;
    outgoing.body.push_back(body);
    const Status sent = co_await exchange_.Send(outgoing);
    if (!sent.ok()) {
      co_await FailUpstream(call_, sent);
    } else if (exchange_.head().status != 200) {
      co_await ForwardError(call_, exchange_);
    } else if (stream) {
      co_await RelayLines();
    } else {
      co_await AnswerOnce();
    }
  }

 private:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - call_.started).count();
  }

  asio::awaitable<void> AnswerOnce() {
    const StatusOr<std::string> answer = co_await ReadAnswer(exchange_, kMaxAnswer);
    Status status = answer.status();
    std::string line;
    if (answer.ok()) {
      std::function<Status()> translate = [&] {
        LLMD_ASSIGN_OR_RETURN(const Generated generated, FromOpenAi(*answer));
        line = GenerateLine(call_.model, generated, true, Seconds());
        return OkStatus();
      };
      status = co_await RunStatusOn(call_.gateway.work, std::move(translate));
    }
    if (!status.ok()) {
      co_await FailUpstream(call_, status);
      co_return;
    }
    AnswerHead head;
    head.type = "application/json";
    co_await call_.out.Respond(head, line);
  }

  asio::awaitable<void> RelayLines() {
    AnswerHead head;
    head.type = "application/x-ndjson";
    head.fields.emplace_back("X-Accel-Buffering", "no");
    call_.out.Begin(head);
    const bool flushed = co_await call_.out.Flush();
    std::vector<std::string_view> pieces;
    while (flushed && !ended_) {
      Status status = co_await exchange_.Read(pieces);
      lines_.clear();
      for (const std::string_view piece : pieces) {
        if (status.ok()) status = Feed(piece);
      }
      if (status.ok() && exchange_.done() && !ended_) status = EndOfStream();
      if (!status.ok()) {
        co_await BreakOff(status);
        co_return;
      }
      if (lines_.empty()) continue;
      const std::vector<std::string_view> out = {lines_};
      const bool sent = co_await call_.out.Send(out, ended_);
      if (!sent) co_return;
    }
  }

  Status Feed(std::string_view piece) {
    Status status;
    const Status fed = splitter_.Feed(piece, [&](std::string_view data) {
      if (status.ok() && !ended_) status = OnEvent(data);
    });
    return status.ok() ? fed : status;
  }

  Status OnEvent(std::string_view data) {
    if (data == "[DONE]") return EndLine();
    LLMD_ASSIGN_OR_RETURN(const Generated piece, FromOpenAi(data));
    if (!piece.finish_reason.empty()) total_.finish_reason = piece.finish_reason;
    if (piece.prompt_tokens) total_.prompt_tokens = piece.prompt_tokens;
    if (piece.completion_tokens) total_.completion_tokens = piece.completion_tokens;
    if (piece.text.empty()) return OkStatus();
    if (!first_byte_) {
      first_byte_ = true;
      call_.thread.metrics.FirstByte(call_.model, call_.match.path,
                                     std::chrono::steady_clock::now() - call_.started);
    }
    lines_ += GenerateLine(call_.model, piece, false, 0);
    return OkStatus();
  }

  Status EndLine() {
    ended_ = true;
    lines_ += GenerateLine(call_.model, total_, true, Seconds());
    return OkStatus();
  }

  // The body ended without "[DONE]".
  Status EndOfStream() {
    if (!total_.finish_reason.empty()) return EndLine();
    return MakeStatus(StatusCode::kUnavailable, "the model server's answer broke off",
                      {.code = "upstream_crashed", .next_step = "Try again."});
  }

  asio::awaitable<void> BreakOff(Status why) {
    if (!call_.client_gone) {
      if (call_.aborted) why = *call_.aborted;
      lines_ += ErrorBody(why) + "\n";
      const std::vector<std::string_view> out = {lines_};
      co_await call_.out.Send(out, false);
    }
    call_.out.Break();
  }

  Call& call_;
  Lease lease_;
  http::Exchange exchange_;
  http::SseSplitter splitter_;
  Generated total_;
  std::string lines_;
  bool ended_ = false;
  bool first_byte_ = false;
};

struct Asked {
  std::vector<JsonMember> members;
  std::string model;
  bool stream = false;
  bool raw = false;
};

asio::awaitable<Status> Read(Call& call, Asked& asked) {
  const Status scanned = co_await ScanBody(call, asked.members);
  if (!scanned.ok()) co_return scanned;
  StatusOr<ModelField> field = FindModel(asked.members);
  if (!field.ok()) co_return field.status();
  asked.model = field->name;
  asked.stream = FindFlag(asked.members, "stream").value_or(false);
  asked.raw = FindFlag(asked.members, "raw").value_or(false);
  co_return CheckParameters(asked.members);
}

asio::awaitable<void> Translate(Call& call, const Asked& asked, Lease lease) {
  const std::string route(RouteFor(lease, asked.raw));
  StatusOr<http::Endpoint> endpoint = http::ParseEndpoint(lease.target().endpoint);
  const std::string& served_name = lease.target().served_name;
  StatusOr<std::string> body =
      ToOpenAi(asked.members, served_name.empty() ? lease.target().model : served_name,
               route == kChat, asked.stream);
  Status status = endpoint.status();
  status.Update(body.status());
  if (route.empty()) status = NoText(call.model);
  if (!status.ok()) {
    co_await FailUpstream(call, status);
    co_return;
  }
  call.body.Release();
  Translation translation(call, std::move(lease), *std::move(endpoint));
  std::string text = *std::move(body);
  co_await translation.Run(route, std::move(text), asked.stream);
}

}  // namespace

asio::awaitable<void> ServeGenerate(Call& call) {
  Asked asked;
  const Status read = co_await Read(call, asked);
  if (!read.ok()) {
    co_await FailUpstream(call, read);
    co_return;
  }
  StatusOr<Lease> lease = co_await AcquireLease(call, asked.model);
  if (!lease.ok()) {
    co_await FailUpstream(call, lease.status());
    co_return;
  }
  Lease held = *std::move(lease);
  if (held.Allows("POST", kOwnRoute)) {
    call.dropped = RewriteJson(call.body, asked.members, held.target().served_name);
    co_await RunProxy(call, std::move(held));
  } else {
    co_await Translate(call, asked, std::move(held));
  }
}

}  // namespace llmd::gateway
