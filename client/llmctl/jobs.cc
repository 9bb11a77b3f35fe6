// llmctl jobs: the durable long work.
#include <fmt/core.h>
#include <llmd/v1/jobs.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "llmctl/command.h"
#include "llmctl/session.h"
#include "llmctl/watch_job.h"
#include "render/table.h"

namespace llmd::client {
namespace {

class JobsCommand final : public Command {
 public:
  const char* name() const override { return "jobs"; }
  const char* summary() const override { return "List, watch, show and cancel jobs"; }
  const char* examples() const override {
    return "llmctl jobs\nllmctl jobs watch ID\nllmctl jobs cancel ID\nllmctl jobs show ID --json";
  }
  void Define(CLI::App& app) override {
    const char* const active_help = "Only jobs that have not ended";
    app.add_flag("--active", active_, active_help);
    app.require_subcommand(0, 1);
    app.add_subcommand("list", "List jobs (the default)")
        ->add_flag("--active", active_, active_help);
    for (auto& [sub, name, help] : {std::tuple{&watch_, "watch", "Watch a job until it ends"},
                                    std::tuple{&show_, "show", "Show one job"},
                                    std::tuple{&cancel_, "cancel", "Ask a job to stop"}}) {
      *sub = app.add_subcommand(name, help);
      (*sub)->add_option("id", id_, "The job's id")->required();
    }
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Jobs>());
    if (watch_->parsed()) return Watch(session, *stub);
    if (show_->parsed()) return Show(session, *stub);
    if (cancel_->parsed()) return Cancel(session, *stub);
    return List(session, *stub);
  }

 private:
  StatusOr<int> List(Session& session, v1::Jobs::Stub& stub) {
    v1::ListJobsRequest request;
    request.set_active_only(active_);
    v1::ListJobsResponse response;
    LLMD_RETURN_IF_ERROR(session.Call(stub, &v1::Jobs::Stub::List, request, &response));
    if (session.json()) {
      fmt::print("{}", ToJsonText(response));
      return kDone;
    }
    Table table({"ID", "KIND", "SUBJECT", "STATE", "STEP", "PROGRESS", "ERROR"});
    for (const v1::Job& job : response.jobs()) {
      table.Add({job.id(), job.kind(), job.subject(), job.state(), job.step(),
                 fmt::format("{:.0f} %", job.progress() * 100), job.error().message()});
    }
    fmt::print("{}", table.empty() ? "No jobs.\n" : table.Render());
    return kDone;
  }

  StatusOr<v1::Job> Get(Session& session, v1::Jobs::Stub& stub) {
    v1::GetJobRequest request;
    request.set_id(id_);
    v1::Job job;
    LLMD_RETURN_IF_ERROR(session.Call(stub, &v1::Jobs::Stub::Get, request, &job));
    return job;
  }

  StatusOr<int> Watch(Session& session, v1::Jobs::Stub& stub) {
    LLMD_ASSIGN_OR_RETURN(v1::Job job, Get(session, stub));
    LLMD_ASSIGN_OR_RETURN(job, WatchJob(session, job));
    return Print(session, job);
  }

  StatusOr<int> Show(Session& session, v1::Jobs::Stub& stub) {
    LLMD_ASSIGN_OR_RETURN(const v1::Job job, Get(session, stub));
    return Print(session, job);
  }

  StatusOr<int> Cancel(Session& session, v1::Jobs::Stub& stub) {
    v1::CancelJobRequest request;
    request.set_id(id_);
    v1::Job job;
    LLMD_RETURN_IF_ERROR(session.Call(stub, &v1::Jobs::Stub::Cancel, request, &job));
    return Print(session, job);
  }

  static StatusOr<int> Print(const Session& session, const v1::Job& job) {
    if (session.json()) {
      fmt::print("{}", ToJsonText(job));
      return kDone;
    }
    fmt::print("{} {} {}: {}", Safe(job.id()), Safe(job.kind()), Safe(job.subject()),
               Safe(job.state()));
    if (!job.step().empty()) fmt::print(" ({})", Safe(job.step()));
    if (job.has_error()) {
      fmt::print("\n  {} [{}]\n  {}", Safe(job.error().message()), Safe(job.error().code()),
                 Safe(job.error().next_step()));
    }
    fmt::print("\n");
    return kDone;
  }

  CLI::App* watch_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* cancel_ = nullptr;
  std::string id_;
  bool active_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeJobsCommand() { return std::make_unique<JobsCommand>(); }

}  // namespace llmd::client
