// FakeDaemon: answers llmctl over the control socket of a private home with what a test says.
#pragma once

#include <grpcpp/server.h>
#include <llmd/v1/agent.grpc.pb.h>
#include <llmd/v1/jobs.grpc.pb.h>
#include <llmd/v1/models.grpc.pb.h>
#include <llmd/v1/servers.grpc.pb.h>
#include <llmd/v1/system.grpc.pb.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "support/temp_folder.h"

namespace llmd::testing {

class FakeDaemon {
 public:
  FakeDaemon();
  ~FakeDaemon();

  // Ends, cutting off who watches, and listens anew with one event more; Watch blocks no longer.
  void RestartWith(const v1::JobEvent& event);
  // Blocks until somebody has watched so many times.
  void WaitForWatches(int count);

  std::string home() const { return home_.path().string(); }
  const TempFolder& folder() const { return home_; }

  // What the calls answer; set before llmctl runs.
  grpc::Status status;  // of every call but Watch, when it is not OK
  v1::CheckResponse check;
  v1::Job job;  // of Install and Remove
  v1::Model model;
  v1::ListModelsResponse models;
  v1::ListServersResponse servers;
  v1::Server server;
  v1::ListJobsResponse jobs;
  v1::InfoResponse info;
  std::vector<v1::JobEvent> events;  // of Watch; then it ends, or blocks
  std::atomic<bool> watch_blocks = false;
  std::vector<v1::GenerationChunk> chunks;
  v1::EmbedResponse embeddings;
  std::vector<std::string> log;

  // What was asked; read after llmctl has ended.
  v1::CheckRequest checked;
  v1::InstallRequest installed;
  v1::ChatRequest chatted;
  v1::RemoveRequest removed;
  std::string cancelled;  // the job
  int watches = 0;
  int64_t watched_after = -1;

 private:
  class ModelsService;
  class JobsService;
  class ServersService;
  class AgentService;
  class SystemService;

  void Listen();

  TempFolder home_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> grpc_;
};

// A refusal as llmd sends it.
grpc::Status Refusal(grpc::StatusCode code, const std::string& name, const std::string& message,
                     const std::string& next_step);

}  // namespace llmd::testing
