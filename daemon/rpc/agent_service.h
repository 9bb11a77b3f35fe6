// The Agent service: inference over gRPC, an adapter over the same lease and the same model servers
// that the HTTP gateway uses.
#pragma once

#include <llmd/v1/agent.grpc.pb.h>

#include "http/upstream_client.h"
#include "rpc/call_context.h"
#include "rpc/generation_call.h"
#include "rpc/stream_registry.h"
#include "serving/model_router.h"

namespace llmd::rpc {

class AgentService final : public v1::Agent::CallbackService {
 public:
  struct Parts {
    const RpcContext& rpc;
    serving::ModelRouter& router;
    http::UpstreamClient& upstream;
    StreamRegistry& streams;
  };
  explicit AgentService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListServedModelsRequest* request,
                                       v1::ListServedModelsResponse* response) override;
  grpc::ServerWriteReactor<v1::GenerationChunk>* Chat(grpc::CallbackServerContext* context,
                                                      const v1::ChatRequest* request) override;
  grpc::ServerWriteReactor<v1::GenerationChunk>* Complete(
      grpc::CallbackServerContext* context, const v1::CompleteRequest* request) override;
  grpc::ServerUnaryReactor* Embed(grpc::CallbackServerContext* context,
                                  const v1::EmbedRequest* request,
                                  v1::EmbedResponse* response) override;

 private:
  grpc::ServerWriteReactor<v1::GenerationChunk>* Generate(
      const grpc::CallbackServerContext& context, GenerationCall::Request request);

  Parts parts_;
};

}  // namespace llmd::rpc
