#include "gateway/proxy.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "gateway/acquire.h"
#include "gateway/body_scan.h"
#include "gateway/inference_request.h"
#include "gateway/openai_error.h"
#include "gateway/upstream_error.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;
using http::Exchange;
using serving::Lease;

constexpr size_t kMaxErrorBody = 64u << 10;
constexpr size_t kFileBlock = 256u << 10;

// What of the server's head passes: nothing that names, redirects or sets cookies.
constexpr std::string_view kPassed[] = {"cache-control", "content-disposition", "content-encoding",
                                        "content-language", "retry-after"};

Status NotServed(const Lease::Target& target, std::string_view path) {
  std::string routes;
  for (const std::string& route : target.routes) {
    routes += (routes.empty() ? "" : ", ") + route;
  }
  return MakeStatus(
      StatusCode::kNotFound, fmt::format("{} does not serve POST {}", target.model, path),
      {.code = "route_not_supported", .next_step = fmt::format("It serves: {}.", routes)});
}

// A spilled body, read back in blocks on the work pool.
class FileBody final : public http::BodySource {
 public:
  FileBody(const RequestBody& body, asio::thread_pool& work)
      : body_(body), work_(work), pieces_(body.Pieces()) {}

  asio::awaitable<StatusOr<std::string_view>> Next() override {
    if (piece_ == pieces_.size()) co_return std::string_view();
    const RequestBody::Piece& piece = pieces_[piece_];
    if (!piece.original) {
      ++piece_;
      co_return piece.text;
    }
    const uint64_t from = piece.begin + done_;
    const size_t size = static_cast<size_t>(std::min<uint64_t>(kFileBlock, piece.end - from));
    std::function<Status()> read = [this, from, size] { return ReadBlock(from, size); };
    const Status status = co_await RunStatusOn(work_, std::move(read));
    if (!status.ok()) co_return status;
    done_ += size;
    if (from + size == piece.end) ++piece_, done_ = 0;
    co_return std::string_view(block_);
  }

  void Rewind() override { piece_ = 0, done_ = 0; }

 private:
  Status ReadBlock(uint64_t from, size_t size) {
    block_.resize(size);
    for (size_t got = 0; got < size;) {
      const ssize_t more =
          ::pread(body_.file(), block_.data() + got, size - got, static_cast<off_t>(from + got));
      if (more <= 0) return ErrnoStatus(more < 0 ? errno : EIO, "the request's body");
      got += static_cast<size_t>(more);
    }
    return OkStatus();
  }

  const RequestBody& body_;
  asio::thread_pool& work_;
  const std::vector<RequestBody::Piece> pieces_;
  size_t piece_ = 0;
  uint64_t done_ = 0;
  std::string block_;
};

// One proxied request, behind its lease.
class Proxy {
 public:
  Proxy(Call& call, Lease lease, http::Endpoint endpoint)
      : call_(call), lease_(std::move(lease)), exchange_(call.thread.pool, std::move(endpoint)) {}

  asio::awaitable<void> Run() {
    const InterruptScope scope(call_, [this] { exchange_.Cancel(); });
    const RequestMetrics::InFlight counted(call_.thread.metrics.InFlightOf(call_.model));
    const Status sent = co_await Send();
    call_.body.Release();
    if (!sent.ok()) {
      co_await FailUpstream(call_, sent);
    } else if (exchange_.head().status >= 400) {
      co_await ForwardError(call_, exchange_);
    } else if (exchange_.head().status >= 300) {
      const Status redirected =
          MakeStatus(StatusCode::kUnavailable, "the model server redirects, which it may not",
                     {.code = "bad_answer", .next_step = ""});
      co_await FailUpstream(call_, redirected);
    } else {
      co_await Relay();
    }
  }

 private:
  asio::awaitable<Status> Send() {
    const std::string head = UpstreamHead(call_, call_.match.path, call_.head.Get("content-type"),
                                          call_.body.edited_size());
    http::Outgoing outgoing;
    outgoing.head = head;
    std::optional<FileBody> file;
    if (call_.body.spilled()) {
      outgoing.source = &file.emplace(call_.body, call_.gateway.work);
    } else {
      outgoing.body = call_.body.Views();
    }
    co_return co_await exchange_.Send(outgoing);
  }

  AnswerHead HeadOfAnswer() {
    const http::ResponseHead& head = exchange_.head();
    AnswerHead answer;
    answer.status = head.status;
    answer.type = head.Get("content-type");
    is_sse_ = MediaTypeOf(answer.type) == "text/event-stream";
    for (const std::string_view name : kPassed) {
      if (const auto value = head.Get(name); !value.empty()) {
        answer.fields.emplace_back(name, std::string(value));
      }
    }
    if (is_sse_) answer.fields.emplace_back("X-Accel-Buffering", "no");
    if (!call_.dropped.empty()) answer.fields.emplace_back("X-Llmd-Dropped", call_.dropped);
    if (head.framing == http::Framing::kLength) answer.length = head.content_length;
    if (head.framing == http::Framing::kNone) answer.length = 0;
    return answer;
  }

  asio::awaitable<void> Relay() {
    const AnswerHead head = HeadOfAnswer();
    call_.out.Begin(head);
    if (!exchange_.HasBuffered()) {
      // The client learns at once that its stream has begun.
      const bool flushed = co_await call_.out.Flush();
      if (!flushed) co_return;
    }
    std::vector<std::string_view> pieces;
    for (bool first = true;; first = false) {
      const Status read = co_await exchange_.Read(pieces);
      if (!read.ok()) {
        co_await BreakOff(read);
        co_return;
      }
      if (first) CountFirstByte();
      Remember(pieces);
      const bool last = exchange_.done();
      const bool sent = co_await call_.out.Send(pieces, last);
      if (!sent || last) co_return;
    }
  }

  // The server died, or llmd ends: what was sent must not look whole.
  asio::awaitable<void> BreakOff(Status why) {
    if (is_sse_ && !call_.client_gone) {
      if (call_.aborted) why = *call_.aborted;
      const std::string event = (at_event_start_ ? "" : "\n\n") + ErrorEvent(why);
      std::vector<std::string_view> pieces = {event};
      co_await call_.out.Send(pieces, false);
    }
    call_.out.Break();
  }

  void CountFirstByte() {
    const auto after = std::chrono::steady_clock::now() - call_.started;
    call_.thread.metrics.FirstByte(call_.model, call_.match.path, after);
  }

  // Whether an event may start behind what was sent.
  void Remember(const std::vector<std::string_view>& pieces) {
    for (const std::string_view piece : pieces) {
      if (!piece.empty()) at_event_start_ = piece.ends_with("\n\n") || piece.ends_with("\r\n\r\n");
    }
  }

  Call& call_;
  Lease lease_;
  Exchange exchange_;
  bool is_sse_ = false;
  bool at_event_start_ = true;
};

// Finds the model that the body names.
asio::awaitable<Status> FindModelOf(Call& call, std::vector<JsonMember>& members,
                                    ModelField& field) {
  if (!call.form) {
    const Status scanned = co_await ScanBody(call, members);
    if (!scanned.ok()) co_return scanned;
  }
  StatusOr<ModelField> found = call.form ? FindModel(*call.form) : FindModel(members);
  if (!found.ok()) co_return found.status();
  field = *std::move(found);
  co_return CheckParameters(members);
}

void Rewrite(Call& call, const std::vector<JsonMember>& members, const ModelField& field,
             const std::string& served_name) {
  if (!call.form) {
    call.dropped = RewriteJson(call.body, members, served_name);
  } else if (!served_name.empty() && served_name != field.name) {
    call.body.Edit(field.begin, field.end, served_name);
  }
}

}  // namespace

std::string UpstreamHead(const Call& call, std::string_view path, std::string_view content_type,
                         uint64_t content_length) {
  std::string head;
  head.reserve(256);
  head += "POST ";
  head += path;
  head += " HTTP/1.1\r\nHost: localhost\r\n";
  http::AppendField(head, "Content-Type", content_type);
  http::AppendField(head, "Content-Length", content_length);
  http::AppendField(head, "X-Request-Id", call.request_id);
  if (const auto parent = call.head.Get("traceparent"); IsTraceParent(parent)) {
    http::AppendField(head, "Traceparent", parent);
  }
  head += "\r\n";
  return head;
}

bool IsTraceParent(std::string_view text) {
  constexpr std::string_view kForm = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  if (text.size() != kForm.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (kForm[i] == 'x' ? !hex : text[i] != kForm[i]) return false;
  }
  return text.substr(3, 32).find_first_not_of('0') != text.npos &&
         text.substr(36, 16).find_first_not_of('0') != text.npos;
}

asio::awaitable<void> FailUpstream(Call& call, Status why) {
  if (call.client_gone) co_return;
  if (call.aborted) why = *call.aborted;
  co_await call.out.Fail(why);
}

asio::awaitable<StatusOr<std::string>> ReadAnswer(Exchange& exchange, size_t limit) {
  std::string text;
  std::vector<std::string_view> pieces;
  while (!exchange.done()) {
    const Status read = co_await exchange.Read(pieces);
    if (!read.ok()) co_return read;
    for (const std::string_view piece : pieces) text += piece;
    if (text.size() > limit) {
      co_return MakeStatus(StatusCode::kUnavailable, "the model server's answer is too large",
                           {.code = "bad_answer", .next_step = ""});
    }
  }
  co_return text;
}

asio::awaitable<void> ForwardError(Call& call, Exchange& exchange) {
  const StatusOr<std::string> body = co_await ReadAnswer(exchange, kMaxErrorBody);
  if (call.client_gone) co_return;
  if (call.aborted) {
    co_await call.out.Fail(*call.aborted);
    co_return;
  }
  AnswerHead head;
  head.status = exchange.head().status;
  head.type = "application/json";
  if (const auto after = exchange.head().Get("retry-after"); !after.empty()) {
    head.fields.emplace_back("Retry-After", std::string(after));
  }
  const std::string text = RetellError(head.status, body.ok() ? *body : std::string()) + "\n";
  co_await call.out.Respond(head, text);
}

asio::awaitable<void> RunProxy(Call& call, Lease lease) {
  StatusOr<http::Endpoint> endpoint = http::ParseEndpoint(lease.target().endpoint);
  if (!endpoint.ok()) {
    co_await FailUpstream(call, endpoint.status());
    co_return;
  }
  Proxy proxy(call, std::move(lease), *std::move(endpoint));
  co_await proxy.Run();
}

asio::awaitable<void> ServeProxy(Call& call) {
  std::vector<JsonMember> members;
  ModelField field;
  const Status found = co_await FindModelOf(call, members, field);
  if (!found.ok()) {
    co_await FailUpstream(call, found);
    co_return;
  }
  StatusOr<Lease> lease = co_await AcquireLease(call, field.name);
  Status status = lease.status();
  if (lease.ok() && !lease->Allows("POST", call.match.path)) {
    status = NotServed(lease->target(), call.match.path);
  }
  if (!status.ok()) {
    co_await FailUpstream(call, status);
    co_return;
  }
  Rewrite(call, members, field, lease->target().served_name);
  Lease held = *std::move(lease);
  co_await RunProxy(call, std::move(held));
}

}  // namespace llmd::gateway
