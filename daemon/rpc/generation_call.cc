#include "rpc/generation_call.h"

#include "rpc/generation.h"

namespace llmd::rpc {
namespace {

constexpr size_t kMaxErrorBody = 64u << 10;

}  // namespace

Status CheckRoute(const serving::Lease& lease, const std::string& target) {
  if (lease.Allows("POST", target)) return OkStatus();
  const serving::Lease::Target& model = lease.target();
  return MakeStatus(
      StatusCode::kUnimplemented,
      fmt::format("{} is of kind {}, which does not answer {}", model.model, model.kind, target),
      {.code = "wrong_kind",
       .next_step = "llmctl show MODEL tells what it can do; choose another model."});
}

void GenerationCall::Begin(serving::ModelRouter& router) {
  router.Acquire(request_.model, stream_->token(),
                 [self = shared_from_this()](StatusOr<serving::Lease> lease) {
                   if (!lease.ok()) return self->stream_->Close(lease.status());
                   self->Send(*std::move(lease));
                 });
}

void GenerationCall::Send(serving::Lease lease) {
  if (const Status allowed = CheckRoute(lease, request_.target); !allowed.ok()) {
    return stream_->Close(allowed);
  }
  StatusOr<std::string> body = request_.body(lease.target().served_name);
  if (!body.ok()) return stream_->Close(body.status());
  lease_ = std::move(lease);
  upstream_.Send(
      {.endpoint = lease_.target().endpoint, .target = request_.target, .body = *std::move(body)},
      {.on_head = [self = shared_from_this()](int status,
                                              std::string_view) { self->http_status_ = status; },
       .on_data = [self = shared_from_this()](std::string_view bytes) { self->OnData(bytes); },
       .on_end = [self = shared_from_this()](const Status& status) { self->OnEnd(status); }},
      stream_->token());
}

void GenerationCall::OnData(std::string_view bytes) {
  if (http_status_ != 200) {
    error_body_.append(
        bytes.substr(0, kMaxErrorBody - std::min(kMaxErrorBody, error_body_.size())));
    return;
  }
  const Status status = events_.Feed(bytes, [this](std::string_view data) { OnEvent(data); });
  if (!status.ok()) stream_->Close(status);
}

void GenerationCall::OnEvent(std::string_view data) {
  if (data == "[DONE]") {
    finished_ = true;
    return;
  }
  StatusOr<v1::GenerationChunk> chunk = ParseChunk(data);
  if (!chunk.ok()) return stream_->Close(chunk.status());
  stream_->Push(*std::move(chunk));
}

void GenerationCall::OnEnd(const Status& status) {
  lease_.Reset();
  if (!status.ok()) return stream_->Close(status);
  if (http_status_ != 200) return stream_->Close(ParseError(http_status_, error_body_));
  if (finished_) return stream_->Close(OkStatus());
  stream_->Close(MakeStatus(
      StatusCode::kUnavailable, "the model server ended before its answer was whole",
      {.code = "upstream_crashed", .next_step = "See its log: llmctl logs MODEL, and try again."}));
}

}  // namespace llmd::rpc
