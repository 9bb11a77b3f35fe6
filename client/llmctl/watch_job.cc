#include "llmctl/watch_job.h"

#include <fmt/core.h>
#include <llmd/v1/jobs.grpc.pb.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "render/progress.h"

namespace llmd::client {
namespace {

constexpr int kReconnects = 5;
constexpr std::chrono::seconds kPatience{20};  // for a daemon that is started again

bool HasEnded(const v1::Job& job) {
  return job.state() == "succeeded" || job.state() == "failed" || job.state() == "cancelled";
}

// One stream of events; updates `last` and `sequence`.
Status FollowOnce(Session& session, v1::Jobs::Stub& stub, JobProgress& progress, v1::Job& last,
                  int64_t& sequence) {
  grpc::ClientContext context;
  Interrupt::Scope scope(session.interrupt(), [&context] { context.TryCancel(); });
  v1::WatchJobRequest request;
  request.set_id(last.id());
  request.set_after_sequence(sequence);
  const auto reader = stub.Watch(&context, request);
  v1::JobEvent event;
  while (reader->Read(&event)) {
    if (event.sequence() > 0) sequence = event.sequence();
    last = event.job();
    progress.Show(event);
  }
  return FromGrpc(reader->Finish());
}

// True when the user wants the job cancelled.
bool AskToCancel(const Session& session, const v1::Job& job) {
  if (!session.terminal().input_is_terminal() || !session.terminal().error_is_terminal()) {
    return false;
  }
  fmt::print(stderr,
             "\nCancel the job, or leave it running in the background? [c = cancel, "
             "Enter = leave it] ");
  std::fflush(stderr);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "c" || answer == "C" || answer == "cancel") return true;
  fmt::print(stderr, "It goes on. Watch it with: llmctl jobs watch {}\n", job.id());
  return false;
}

Status HandleInterrupt(Session& session, v1::Jobs::Stub& stub, v1::Job& last) {
  session.interrupt().Reset();
  if (AskToCancel(session, last)) {
    v1::CancelJobRequest request;
    request.set_id(last.id());
    LLMD_RETURN_IF_ERROR(session.Call(stub, &v1::Jobs::Stub::Cancel, request, &last));
    fmt::print(stderr, "Cancelling {}.\n", last.id());
  } else if (!session.terminal().error_is_terminal()) {
    fmt::print(stderr, "detached; the job goes on: llmctl jobs watch {}\n", last.id());
  }
  return MakeStatus(
      StatusCode::kCancelled, "interrupted",
      {.code = "interrupted", .next_step = fmt::format("See: llmctl jobs show {}", last.id())});
}

Status JobError(const v1::Job& job) {
  if (job.state() == "cancelled") {
    return MakeStatus(StatusCode::kAborted, "the job was cancelled",
                      {.code = "job_cancelled", .next_step = "Start it again when you want it."});
  }
  return MakeStatus(StatusCode::kAborted, job.error().message(),
                    {.code = job.error().code().empty() ? "job_failed" : job.error().code(),
                     .next_step = job.error().next_step()});
}

Status Gone(const v1::Job& job) {
  return MakeStatus(StatusCode::kUnavailable,
                    "llmd went away; the job goes on when it is started again",
                    {.code = "daemon_unreachable",
                     .next_step = fmt::format("Start llmd, then: llmctl jobs watch {}", job.id())});
}

}  // namespace

StatusOr<v1::Job> WatchJob(Session& session, const v1::Job& job) {
  JobProgress progress(session.terminal(), session.json());
  v1::Job last = job;
  int64_t sequence = 0;
  for (int attempt = 0; !HasEnded(last); ++attempt) {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Jobs>());
    const Status status = FollowOnce(session, *stub, progress, last, sequence);
    progress.Clear();
    if (session.interrupt().Seen()) return HandleInterrupt(session, *stub, last);
    if (HasEnded(last)) break;
    // A daemon that ends breaks the stream off in one of two ways.
    const bool broken =
        status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kCancelled;
    if (!status.ok() && !broken) return status;
    if (attempt >= kReconnects || !session.WaitForDaemon(kPatience)) return Gone(last);
  }
  if (last.state() != "succeeded") return JobError(last);
  return last;
}

}  // namespace llmd::client
