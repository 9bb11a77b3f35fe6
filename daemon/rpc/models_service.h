// The Models service: check, install, remove and list models.
#pragma once

#include <llmd/v1/models.grpc.pb.h>

#include "pipelines/pipelines.h"
#include "platform/paths.h"
#include "rpc/call_context.h"
#include "serving/model_router.h"
#include "serving/model_store.h"

namespace llmd::rpc {

class ModelsService final : public v1::Models::CallbackService {
 public:
  struct Parts {
    const RpcContext& rpc;
    const platform::HomePaths& home;
    pipelines::Pipelines& pipelines;
    serving::ModelStore& models;
    serving::ModelRouter& router;
  };
  explicit ModelsService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const v1::CheckRequest* request,
                                  v1::CheckResponse* response) override;
  grpc::ServerUnaryReactor* Install(grpc::CallbackServerContext* context,
                                    const v1::InstallRequest* request, v1::Job* response) override;
  grpc::ServerUnaryReactor* Remove(grpc::CallbackServerContext* context,
                                   const v1::RemoveRequest* request, v1::Job* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListModelsRequest* request,
                                 v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const v1::GetModelRequest* request, v1::Model* response) override;
  grpc::ServerUnaryReactor* SetAlias(grpc::CallbackServerContext* context,
                                     const v1::SetAliasRequest* request,
                                     v1::SetAliasResponse* response) override;

 private:
  v1::Model Describe(const ModelRecord& model) const;

  Parts parts_;
};

}  // namespace llmd::rpc
