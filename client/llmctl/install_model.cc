#include "llmctl/install_model.h"

#include <llmd/v1/jobs.grpc.pb.h>
#include <llmd/v1/models.grpc.pb.h>

#include "llmctl/watch_job.h"

namespace llmd::client {

StatusOr<v1::Model> InstallModel(Session& session, const v1::InstallRequest& request) {
  LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
  v1::Job started;
  LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::Models::Stub::Install, request, &started));
  LLMD_ASSIGN_OR_RETURN(const v1::Job ended, WatchJob(session, started));
  v1::GetModelRequest get;
  get.set_model(ended.subject());
  v1::Model model;
  LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::Models::Stub::Get, get, &model));
  return model;
}

}  // namespace llmd::client
