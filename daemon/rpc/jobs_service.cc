#include "rpc/jobs_service.h"

#include <memory>

#include "rpc/convert.h"
#include "rpc/job_watcher.h"
#include "rpc/unary_call.h"

namespace llmd::rpc {

grpc::ServerUnaryReactor* JobsService::List(grpc::CallbackServerContext* context,
                                            const v1::ListJobsRequest* request,
                                            v1::ListJobsResponse* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    LLMD_ASSIGN_OR_RETURN(const auto jobs, parts_.jobs.List(request->active_only()));
    for (const JobRecord& job : jobs) *response->add_jobs() = ToProto(job);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* JobsService::Get(grpc::CallbackServerContext* context,
                                           const v1::GetJobRequest* request, v1::Job* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    LLMD_ASSIGN_OR_RETURN(const JobRecord job, parts_.jobs.Get(request->id()));
    *response = ToProto(job);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* JobsService::Cancel(grpc::CallbackServerContext* context,
                                              const v1::CancelJobRequest* request,
                                              v1::Job* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    LLMD_ASSIGN_OR_RETURN(const JobRecord job, parts_.jobs.Cancel(request->id()));
    *response = ToProto(job);
    return OkStatus();
  });
}

grpc::ServerWriteReactor<v1::JobEvent>* JobsService::Watch(grpc::CallbackServerContext* context,
                                                           const v1::WatchJobRequest* request) {
  const StatusOr<Caller> caller = parts_.rpc.Authorize(*context);
  if (!caller.ok()) return RefusedStream<v1::JobEvent>(caller.status());
  auto stream = JobWatcher::Stream::Make();
  auto* const reactor = stream->Reactor();
  if (!parts_.streams.Add(stream)) return reactor;
  auto watcher = std::make_shared<JobWatcher>(request->id(), request->after_sequence(), stream);
  stream->Keep(watcher);
  const bool queued = parts_.rpc.pool().Run(
      [this, stream, watcher, id = request->id(), after = request->after_sequence()] {
        const StatusOr<JobRecord> known = parts_.jobs.Get(id);
        if (!known.ok()) return stream->Close(known.status());
        watcher->Follow(parts_.events);
        const auto stored = parts_.jobs.Events(id, after);
        const StatusOr<JobRecord> job = parts_.jobs.Get(id);
        if (!stored.ok()) return stream->Close(stored.status());
        if (!job.ok()) return stream->Close(job.status());
        watcher->Replay(*stored, *job);
      });
  if (!queued) stream->Close(BusyStatus());
  return reactor;
}

}  // namespace llmd::rpc
