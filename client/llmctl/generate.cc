#include "llmctl/generate.h"

#include <fmt/core.h>
#include <llmd/v1/agent.grpc.pb.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <nlohmann/json.hpp>

namespace llmd::client {
namespace {

template <typename Reader>
StatusOr<Answer> Collect(Reader& reader, const TextSink& sink) {
  Answer answer;
  v1::GenerationChunk chunk;
  while (reader.Read(&chunk)) {
    answer.text += chunk.text();
    if (!chunk.text().empty()) sink(chunk.text());
    if (!chunk.finish_reason().empty()) answer.finish_reason = chunk.finish_reason();
    if (chunk.has_usage()) answer.usage = chunk.usage();
  }
  LLMD_RETURN_IF_ERROR(FromGrpc(reader.Finish()));
  return answer;
}

}  // namespace

void DefineSampling(CLI::App& app, SamplingArguments& arguments) {
  app.add_option("--max-tokens", arguments.max_tokens,
                 "Longest answer, in tokens (default: what the context holds)")
      ->check(CLI::PositiveNumber);
  app.add_option("--temperature", arguments.temperature, "0 is deterministic")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--top-p", arguments.top_p, "Nucleus sampling")->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", arguments.seed, "Seed for sampling")->check(CLI::NonNegativeNumber);
  app.add_option("--stop", arguments.stop, "Stop at this text (may be repeated)")
      ->allow_extra_args(false);
}

void FillSampling(const SamplingArguments& arguments, v1::SamplingOptions* options) {
  if (arguments.max_tokens > 0) options->set_max_tokens(arguments.max_tokens);
  if (arguments.temperature >= 0) options->set_temperature(arguments.temperature);
  if (arguments.top_p >= 0) options->set_top_p(arguments.top_p);
  if (arguments.seed >= 0) options->set_seed(arguments.seed);
  for (const std::string& stop : arguments.stop) options->add_stop(stop);
}

StatusOr<Answer> StreamChat(Session& session, const v1::ChatRequest& request,
                            const TextSink& sink) {
  LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Agent>());
  grpc::ClientContext context;
  Interrupt::Scope scope(session.interrupt(), [&context] { context.TryCancel(); });
  const auto reader = stub->Chat(&context, request);
  return Collect(*reader, sink);
}

StatusOr<Answer> StreamCompletion(Session& session, const v1::CompleteRequest& request,
                                  const TextSink& sink) {
  LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Agent>());
  grpc::ClientContext context;
  Interrupt::Scope scope(session.interrupt(), [&context] { context.TryCancel(); });
  const auto reader = stub->Complete(&context, request);
  return Collect(*reader, sink);
}

nlohmann::ordered_json AnswerToJson(const std::string& model, const Answer& answer) {
  return {{"model", model},
          {"text", answer.text},
          {"finish_reason", answer.finish_reason},
          {"usage", ToJson(answer.usage)}};
}

void PrintPiece(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 ? byte != 0x7f : c == '\n' || c == '\t') std::fputc(c, stdout);
  }
  std::fflush(stdout);
}

}  // namespace llmd::client
