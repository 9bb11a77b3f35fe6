#include "client/fake_daemon.h"

#include <google/rpc/status.pb.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <stdexcept>

namespace llmd::testing {

using grpc::ServerContext;
using grpc::ServerWriter;

class FakeDaemon::ModelsService final : public v1::Models::Service {
 public:
  explicit ModelsService(FakeDaemon& fake) : fake_(fake) {}
  grpc::Status Check(ServerContext*, const v1::CheckRequest* request,
                     v1::CheckResponse* response) override {
    fake_.checked = *request;
    *response = fake_.check;
    return fake_.status;
  }
  grpc::Status Install(ServerContext*, const v1::InstallRequest* request, v1::Job* job) override {
    fake_.installed = *request;
    *job = fake_.job;
    return fake_.status;
  }
  grpc::Status Remove(ServerContext*, const v1::RemoveRequest* request, v1::Job* job) override {
    fake_.removed = *request;
    *job = fake_.job;
    return fake_.status;
  }
  grpc::Status List(ServerContext*, const v1::ListModelsRequest*,
                    v1::ListModelsResponse* response) override {
    *response = fake_.models;
    return fake_.status;
  }
  grpc::Status Get(ServerContext*, const v1::GetModelRequest*, v1::Model* model) override {
    *model = fake_.model;
    return fake_.status;
  }

 private:
  FakeDaemon& fake_;
};

class FakeDaemon::JobsService final : public v1::Jobs::Service {
 public:
  explicit JobsService(FakeDaemon& fake) : fake_(fake) {}
  grpc::Status List(ServerContext*, const v1::ListJobsRequest*,
                    v1::ListJobsResponse* response) override {
    *response = fake_.jobs;
    return fake_.status;
  }
  grpc::Status Get(ServerContext*, const v1::GetJobRequest*, v1::Job* job) override {
    *job = fake_.job;
    return fake_.status;
  }
  grpc::Status Cancel(ServerContext*, const v1::CancelJobRequest* request, v1::Job* job) override {
    fake_.cancelled = request->id();
    *job = fake_.job;
    return grpc::Status::OK;
  }
  grpc::Status Watch(ServerContext* context, const v1::WatchJobRequest* request,
                     ServerWriter<v1::JobEvent>* writer) override {
    std::unique_lock lock(fake_.mutex_);
    fake_.watched_after = request->after_sequence();
    const bool first = ++fake_.watches == 1;
    fake_.changed_.notify_all();
    for (const v1::JobEvent& event : fake_.events) {
      if (event.sequence() == 0 || event.sequence() > request->after_sequence()) {
        writer->Write(event);
      }
      // The first watcher loses its connection when a test marks an event so.
      if (first && event.message() == "<cut>") return {grpc::StatusCode::UNAVAILABLE, "gone"};
    }
    while (fake_.watch_blocks && !context->IsCancelled()) {
      fake_.changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    return grpc::Status::OK;
  }

 private:
  FakeDaemon& fake_;
};

class FakeDaemon::ServersService final : public v1::Servers::Service {
 public:
  explicit ServersService(FakeDaemon& fake) : fake_(fake) {}
  grpc::Status Start(ServerContext*, const v1::StartServerRequest*, v1::Server* server) override {
    *server = fake_.server;
    return fake_.status;
  }
  grpc::Status Stop(ServerContext*, const v1::StopServerRequest*, v1::Server* server) override {
    *server = fake_.server;
    return fake_.status;
  }
  grpc::Status List(ServerContext*, const v1::ListServersRequest*,
                    v1::ListServersResponse* response) override {
    *response = fake_.servers;
    return fake_.status;
  }
  grpc::Status Logs(ServerContext*, const v1::LogsRequest*,
                    ServerWriter<v1::LogChunk>* writer) override {
    for (const std::string& text : fake_.log) {
      v1::LogChunk chunk;
      chunk.set_text(text);
      writer->Write(chunk);
    }
    return fake_.status;
  }

 private:
  FakeDaemon& fake_;
};

class FakeDaemon::AgentService final : public v1::Agent::Service {
 public:
  explicit AgentService(FakeDaemon& fake) : fake_(fake) {}
  grpc::Status Chat(ServerContext*, const v1::ChatRequest* request,
                    ServerWriter<v1::GenerationChunk>* writer) override {
    fake_.chatted = *request;
    for (const v1::GenerationChunk& chunk : fake_.chunks) writer->Write(chunk);
    return fake_.status;
  }
  grpc::Status Embed(ServerContext*, const v1::EmbedRequest*,
                     v1::EmbedResponse* response) override {
    *response = fake_.embeddings;
    return fake_.status;
  }

 private:
  FakeDaemon& fake_;
};

class FakeDaemon::SystemService final : public v1::System::Service {
 public:
  explicit SystemService(FakeDaemon& fake) : fake_(fake) {}
  grpc::Status Info(ServerContext*, const v1::InfoRequest*, v1::InfoResponse* response) override {
    *response = fake_.info;
    return fake_.status;
  }
  grpc::Status Shutdown(ServerContext*, const v1::ShutdownRequest*,
                        v1::ShutdownResponse*) override {
    return fake_.status;
  }

 private:
  FakeDaemon& fake_;
};

FakeDaemon::FakeDaemon() {
  std::filesystem::create_directories(home_ / "run");
  services_.push_back(std::make_unique<ModelsService>(*this));
  services_.push_back(std::make_unique<JobsService>(*this));
  services_.push_back(std::make_unique<ServersService>(*this));
  services_.push_back(std::make_unique<AgentService>(*this));
  services_.push_back(std::make_unique<SystemService>(*this));
  Listen();
}

void FakeDaemon::Listen() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix://" + (home_ / "run/llmd.sock").string(),
                           grpc::InsecureServerCredentials());
  for (const auto& service : services_) builder.RegisterService(service.get());
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr) throw std::runtime_error("the fake daemon cannot listen");
}

FakeDaemon::~FakeDaemon() {
  watch_blocks = false;
  grpc_->Shutdown(std::chrono::system_clock::now());
}

void FakeDaemon::RestartWith(const v1::JobEvent& event) {
  grpc_->Shutdown(std::chrono::system_clock::now());
  grpc_->Wait();
  watch_blocks = false;
  events.push_back(event);
  Listen();
}

void FakeDaemon::WaitForWatches(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, count] { return watches >= count; });
}

grpc::Status Refusal(grpc::StatusCode code, const std::string& name, const std::string& message,
                     const std::string& next_step) {
  v1::Error error;
  error.set_code(name);
  error.set_message(message);
  error.set_next_step(next_step);
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  details.add_details()->PackFrom(error);
  return {code, message, details.SerializeAsString()};
}

}  // namespace llmd::testing
