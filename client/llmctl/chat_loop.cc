#include "llmctl/chat_loop.h"

#include <fmt/core.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace llmd::client {
namespace {

constexpr char kHelp[] =
    "/clear  forget the conversation    /bye  leave    Ctrl-C  stop an answer\n";

v1::ChatMessage MakeMessage(const char* role, const std::string& content) {
  v1::ChatMessage message;
  message.set_role(role);
  message.set_content(content);
  return message;
}

}  // namespace

StatusOr<int> RunChatLoop(Session& session, const std::string& model, const std::string& system,
                          const SamplingArguments& sampling) {
  const bool interactive = session.terminal().input_is_terminal() && !session.json();
  const TextSink sink = session.json() ? TextSink([](std::string_view) {}) : TextSink(PrintPiece);
  v1::ChatRequest request;
  request.set_model(model);
  FillSampling(sampling, request.mutable_options());
  const auto clear = [&request, &system] {
    request.clear_messages();
    if (!system.empty()) *request.add_messages() = MakeMessage("system", system);
  };
  clear();
  if (interactive) fmt::print(stderr, "Chat with {}. {}", Safe(model), kHelp);
  for (std::string line;;) {
    if (interactive) fmt::print(stderr, "> ");
    std::fflush(stderr);
    if (!std::getline(std::cin, line) || line == "/bye") break;
    if (line.empty()) continue;
    if (line == "/clear") {
      clear();
      continue;
    }
    if (line == "/help") {
      fmt::print(stderr, "{}", kHelp);
      continue;
    }
    *request.add_messages() = MakeMessage("user", line);
    const StatusOr<Answer> answer = StreamChat(session, request, sink);
    if (!session.json()) fmt::print("\n");
    if (answer.ok()) {
      if (session.json()) PrintJsonLine(AnswerToJson(model, *answer));
      *request.add_messages() = MakeMessage("assistant", answer->text);
      continue;
    }
    request.mutable_messages()->RemoveLast();
    if (!session.interrupt().Seen()) return answer.status();
    session.interrupt().Reset();
  }
  return kDone;
}

}  // namespace llmd::client
