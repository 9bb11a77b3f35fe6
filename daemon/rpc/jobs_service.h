// The Jobs service: list, look at, watch and cancel jobs.
#pragma once

#include <llmd/v1/jobs.grpc.pb.h>

#include "domain/event.h"
#include "jobs/job_pool.h"
#include "rpc/call_context.h"
#include "rpc/stream_registry.h"

namespace llmd::rpc {

class JobsService final : public v1::Jobs::CallbackService {
 public:
  struct Parts {
    const RpcContext& rpc;
    jobs::JobPool& jobs;
    llmd::EventStream& events;
    StreamRegistry& streams;
  };
  explicit JobsService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListJobsRequest* request,
                                 v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::ServerWriteReactor<v1::JobEvent>* Watch(grpc::CallbackServerContext* context,
                                                const v1::WatchJobRequest* request) override;
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext* context,
                                   const v1::CancelJobRequest* request, v1::Job* response) override;

 private:
  Parts parts_;
};

}  // namespace llmd::rpc
