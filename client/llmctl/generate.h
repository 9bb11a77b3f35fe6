// Asking a model from more than one command.
#pragma once

#include <llmd/v1/agent.pb.h>

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "llmctl/session.h"

namespace CLI {
class App;
}

namespace llmd::client {

struct SamplingArguments {
  int max_tokens = 0;  // 0: as many as the context holds
  double temperature = -1;
  double top_p = -1;
  int64_t seed = -1;
  std::vector<std::string> stop;
};
void DefineSampling(CLI::App& app, SamplingArguments& arguments);
void FillSampling(const SamplingArguments& arguments, v1::SamplingOptions* options);

// A whole answer.
struct Answer {
  std::string text;
  std::string finish_reason;
  v1::Usage usage;
};
using TextSink = std::function<void(std::string_view)>;

// Streams an answer; `sink` sees each piece. Ctrl-C ends the generation: kCancelled.
StatusOr<Answer> StreamChat(Session& session, const v1::ChatRequest& request, const TextSink& sink);
StatusOr<Answer> StreamCompletion(Session& session, const v1::CompleteRequest& request,
                                  const TextSink& sink);

// {"model", "text", "finish_reason", "usage"}.
nlohmann::ordered_json AnswerToJson(const std::string& model, const Answer& answer);

// Prints a piece of an answer on stdout; control characters but newline and tab are dropped.
void PrintPiece(std::string_view text);

}  // namespace llmd::client
