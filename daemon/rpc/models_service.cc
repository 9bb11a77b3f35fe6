#include "rpc/models_service.h"

#include "rpc/convert.h"
#include "rpc/unary_call.h"

namespace llmd::rpc {
namespace {

// A token is taken from the same user only: over HTTP or TCP it could be read on the way.
StatusOr<pipelines::SourceRequest> ToSource(const v1::Source& source, const Caller& caller) {
  if (!source.hf_token().empty() && caller.kind != Caller::Kind::kLocal) {
    return MakeStatus(StatusCode::kInvalidArgument,
                      "a Hugging Face token is accepted over llmd's Unix socket only",
                      {.code = "token_not_accepted",
                       .next_step = "Leave hf_token out: llmd uses its own token file."});
  }
  return pipelines::SourceRequest{
      .repo_id = source.repo_id(),
      .revision = source.revision(),
      .credentials = {.token = source.hf_token(), .endpoint = source.hf_endpoint()},
      .offline = source.offline()};
}

// The wish of a CheckRequest or an InstallRequest.
template <typename Request>
StatusOr<Wish> ToWish(const Request& request) {
  if (request.context() < 0) {
    return MakeStatus(StatusCode::kInvalidArgument,
                      fmt::format("a context of {} tokens makes no sense", request.context()),
                      {.code = "invalid_request", .next_step = "Give a positive number, or none."});
  }
  return Wish{.engine = request.engine(),
              .variant = request.variant(),
              .file = request.file(),
              .quantization = request.quantization(),
              .context = request.context()};
}

}  // namespace

grpc::ServerUnaryReactor* ModelsService::Check(grpc::CallbackServerContext* context,
                                               const v1::CheckRequest* request,
                                               v1::CheckResponse* response) {
  return OnPool(parts_.rpc, *context,
                [=, this](const Caller& caller, const CancelToken& cancel) -> Status {
                  pipelines::CheckRequest check;
                  LLMD_ASSIGN_OR_RETURN(check.source, ToSource(request->source(), caller));
                  LLMD_ASSIGN_OR_RETURN(check.wish, ToWish(*request));
                  LLMD_ASSIGN_OR_RETURN(const auto result, parts_.pipelines.Check(check, cancel));
                  *response->mutable_profile() = ToProto(result.profile);
                  response->set_exit_code(result.exit_code);
                  for (const std::string& note : result.profile.notes) response->add_notes(note);
                  return OkStatus();
                });
}

grpc::ServerUnaryReactor* ModelsService::Install(grpc::CallbackServerContext* context,
                                                 const v1::InstallRequest* request,
                                                 v1::Job* response) {
  return OnPool(parts_.rpc, *context,
                [=, this](const Caller& caller, const CancelToken&) -> Status {
                  pipelines::InstallRequest install{.name = request->name(),
                                                    .idempotency_key = request->idempotency_key()};
                  LLMD_ASSIGN_OR_RETURN(install.source, ToSource(request->source(), caller));
                  LLMD_ASSIGN_OR_RETURN(install.wish, ToWish(*request));
                  install.wish.force = request->force();
                  install.wish.trust_remote_code = request->trust_remote_code();
                  LLMD_ASSIGN_OR_RETURN(const JobRecord job, parts_.pipelines.Install(install));
                  *response = ToProto(job);
                  return OkStatus();
                });
}

grpc::ServerUnaryReactor* ModelsService::Remove(grpc::CallbackServerContext* context,
                                                const v1::RemoveRequest* request,
                                                v1::Job* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    LLMD_ASSIGN_OR_RETURN(
        const JobRecord job,
        parts_.pipelines.Remove({.model = request->model(), .force = request->force()}));
    *response = ToProto(job);
    return OkStatus();
  });
}

v1::Model ModelsService::Describe(const ModelRecord& model) const {
  const StatusOr<ServerRecord> server = parts_.router.Server(model.name);
  return ToProto(model, parts_.home.model(model.folder_name),
                 server.ok() ? server->state : ServerState::kStopped);
}

grpc::ServerUnaryReactor* ModelsService::List(grpc::CallbackServerContext* context,
                                              const v1::ListModelsRequest*,
                                              v1::ListModelsResponse* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    for (const ModelRecord& model : parts_.models.List()) {
      *response->add_models() = Describe(model);
    }
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* ModelsService::Get(grpc::CallbackServerContext* context,
                                             const v1::GetModelRequest* request,
                                             v1::Model* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    LLMD_ASSIGN_OR_RETURN(const serving::StoredModel model,
                          parts_.models.Resolve(request->model()));
    *response = Describe(model.record);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* ModelsService::SetAlias(grpc::CallbackServerContext* context,
                                                  const v1::SetAliasRequest* request,
                                                  v1::SetAliasResponse*) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    return parts_.models.SetAlias(request->alias(), request->model());
  });
}

}  // namespace llmd::rpc
