#include "rpc/agent_service.h"

#include <memory>
#include <string>
#include <utility>

#include "rpc/generation.h"
#include "rpc/unary_call.h"

namespace llmd::rpc {
namespace {

constexpr char kEmbeddings[] = "/v1/embeddings";
constexpr size_t kMaxEmbeddingBody = 256u << 20;

using Done = std::function<void(const Status&)>;

// One embeddings call on its way; lives in the upstream handler's functions.
struct EmbedCall {
  serving::Lease lease;
  int http_status = 0;
  std::string body;

  Status Finish(const Status& ended, int inputs, v1::EmbedResponse* response) {
    lease.Reset();
    LLMD_RETURN_IF_ERROR(ended);
    if (http_status != 200) return ParseError(http_status, body);
    LLMD_ASSIGN_OR_RETURN(*response, ParseEmbeddings(body, inputs));
    return OkStatus();
  }
};

void SendEmbed(http::UpstreamClient& upstream, WorkPool& pool, serving::Lease lease,
               const v1::EmbedRequest* request, v1::EmbedResponse* response,
               const CancelToken& cancel, const Done& done) {
  if (const Status allowed = CheckRoute(lease, kEmbeddings); !allowed.ok()) return done(allowed);
  auto call = std::make_shared<EmbedCall>();
  call->lease = std::move(lease);
  const auto& target = call->lease.target();
  const int inputs = request->input_size();
  upstream.Send({.endpoint = target.endpoint,
                 .target = kEmbeddings,
                 .body = EmbedBody(*request, target.served_name)},
                {.on_head = [call](int status, std::string_view) { call->http_status = status; },
                 .on_data =
                     [call](std::string_view bytes) {
                       if (call->body.size() + bytes.size() <= kMaxEmbeddingBody) {
                         call->body.append(bytes);
                       }
                     },
                 .on_end =
                     [call, inputs, response, done, &pool](const Status& status) {
                       // Thousands of vectors take a while to read.
                       const bool queued =
                           pool.Run([=] { done(call->Finish(status, inputs, response)); });
                       if (!queued) done(BusyStatus());
                     }},
                cancel);
}

}  // namespace

grpc::ServerUnaryReactor* AgentService::ListModels(grpc::CallbackServerContext* context,
                                                   const v1::ListServedModelsRequest*,
                                                   v1::ListServedModelsResponse* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    for (const ModelRecord& model : parts_.router.Models()) {
      v1::ServedModel* added = response->add_models();
      added->set_name(model.name);
      added->set_kind(model.profile.kind);
      added->mutable_capabilities()->Assign(model.profile.capabilities.begin(),
                                            model.profile.capabilities.end());
      const StatusOr<ServerRecord> server = parts_.router.Server(model.name);
      added->set_server_state(
          std::string(ToString(server.ok() ? server->state : ServerState::kStopped)));
    }
    return OkStatus();
  });
}

grpc::ServerWriteReactor<v1::GenerationChunk>* AgentService::Generate(
    const grpc::CallbackServerContext& context, GenerationCall::Request request) {
  const StatusOr<Caller> caller = parts_.rpc.Authorize(context);
  if (!caller.ok()) return RefusedStream<v1::GenerationChunk>(caller.status());
  auto stream = GenerationCall::Stream::Make();
  auto* const reactor = stream->Reactor();
  if (!parts_.streams.Add(stream)) return reactor;
  const auto call = std::make_shared<GenerationCall>(std::move(request), parts_.upstream, stream);
  stream->Keep(call);
  call->Begin(parts_.router);
  return reactor;
}

grpc::ServerWriteReactor<v1::GenerationChunk>* AgentService::Chat(
    grpc::CallbackServerContext* context, const v1::ChatRequest* request) {
  return Generate(*context, {.model = request->model(),
                             .target = "/v1/chat/completions",
                             .body = [chat = *request](const std::string& name) {
                               return ChatBody(chat, name);
                             }});
}

grpc::ServerWriteReactor<v1::GenerationChunk>* AgentService::Complete(
    grpc::CallbackServerContext* context, const v1::CompleteRequest* request) {
  return Generate(*context, {.model = request->model(),
                             .target = "/v1/completions",
                             .body = [complete = *request](const std::string& name) {
                               return StatusOr<std::string>(CompleteBody(complete, name));
                             }});
}

grpc::ServerUnaryReactor* AgentService::Embed(grpc::CallbackServerContext* context,
                                              const v1::EmbedRequest* request,
                                              v1::EmbedResponse* response) {
  return ByCallback(
      parts_.rpc, *context, [=, this](const Caller&, const CancelToken& cancel, const Done& done) {
        parts_.router.Acquire(request->model(), cancel, [=, this](StatusOr<serving::Lease> lease) {
          if (!lease.ok()) return done(lease.status());
          SendEmbed(parts_.upstream, parts_.rpc.pool(), *std::move(lease), request, response,
                    cancel, done);
        });
      });
}

}  // namespace llmd::rpc
