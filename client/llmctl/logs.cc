// llmctl logs: what a model's server has written.
#include <fmt/core.h>
#include <llmd/v1/servers.grpc.pb.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "llmctl/command.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

class LogsCommand final : public Command {
 public:
  const char* name() const override { return "logs"; }
  const char* summary() const override { return "Show the log of a model's server"; }
  const char* examples() const override {
    return "llmctl logs SmolLM2-135M-Instruct\nllmctl logs org/name -n 20 --follow";
  }
  void Define(CLI::App& app) override {
    app.add_option("model", model_, "Name, unique short form, or alias")->required();
    app.add_option("-n,--lines", lines_, "Lines to begin with")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_flag("-f,--follow", follow_, "Go on with new lines until interrupted");
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Servers>());
    grpc::ClientContext context;
    Interrupt::Scope scope(session.interrupt(), [&context] { context.TryCancel(); });
    v1::LogsRequest request;
    request.set_model(model_);
    request.set_tail_lines(lines_);
    request.set_follow(follow_);
    const auto reader = stub->Logs(&context, request);
    v1::LogChunk chunk;
    while (reader->Read(&chunk)) Print(session, chunk.text());
    const Status status = FromGrpc(reader->Finish());
    if (session.interrupt().Seen()) return kDone;  // how following ends
    LLMD_RETURN_IF_ERROR(status);
    return kDone;
  }

 private:
  // As JSON one object a line; as text line by line, so that line ends survive what is made safe.
  void Print(const Session& session, const std::string& text) const {
    if (session.json()) {
      PrintJsonLine({{"text", text}});
      return;
    }
    size_t begin = 0;
    while (begin < text.size()) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      fmt::print("{}{}", Safe(std::string_view(text).substr(begin, end - begin)),
                 end < text.size() ? "\n" : "");
      begin = end + 1;
    }
    std::fflush(stdout);
  }

  std::string model_;
  int lines_ = 100;
  bool follow_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeLogsCommand() { return std::make_unique<LogsCommand>(); }

}  // namespace llmd::client
