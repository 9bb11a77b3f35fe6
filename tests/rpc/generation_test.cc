#include "rpc/generation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llmd::rpc {
namespace {

using nlohmann::json;

TEST(ChatBody, SendsWhatIsSetAndNothingElse) {
  v1::ChatRequest request;
  auto* message = request.add_messages();
  message->set_role("user");
  message->set_content("hi \"there\"\n\xff");
  request.mutable_options()->set_temperature(0);
  request.mutable_options()->add_stop("END");
  const auto body = ChatBody(request, "served");
  ASSERT_TRUE(body.ok());
  const json parsed = json::parse(*body);
  EXPECT_EQ(parsed["model"], "served");
  EXPECT_EQ(parsed["stream"], true);
  EXPECT_EQ(parsed["stream_options"]["include_usage"], true);
  EXPECT_EQ(parsed["temperature"], 0.0);
  EXPECT_EQ(parsed["stop"], json::array({"END"}));
  EXPECT_EQ(parsed["messages"][0]["content"], "hi \"there\"\n\uFFFD");
  EXPECT_FALSE(parsed.contains("max_tokens"));
  EXPECT_FALSE(parsed.contains("seed"));
}

TEST(ChatBody, RefusesNoMessageAndUnknownRoles) {
  v1::ChatRequest request;
  EXPECT_EQ(ChatBody(request, "x").status().code(), StatusCode::kInvalidArgument);
  request.add_messages()->set_role("root");
  EXPECT_EQ(ChatBody(request, "x").status().code(), StatusCode::kInvalidArgument);
}

TEST(ParseChunk, ReadsChatAndCompletionEvents) {
  auto chunk = ParseChunk(R"({"choices":[{"delta":{"content":"Par"},"finish_reason":null}]})");
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk->text(), "Par");
  EXPECT_EQ(chunk->finish_reason(), "");
  chunk = ParseChunk(R"({"choices":[{"text":"is","finish_reason":"stop"}],
                         "usage":{"prompt_tokens":3,"completion_tokens":2}})");
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk->text(), "is");
  EXPECT_EQ(chunk->finish_reason(), "stop");
  EXPECT_EQ(chunk->usage().prompt_tokens(), 3);
  EXPECT_EQ(chunk->usage().completion_tokens(), 2);
}

TEST(ParseChunk, TakesUsageWithoutChoices) {
  const auto chunk = ParseChunk(R"({"choices":[],"usage":{"completion_tokens":7}})");
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk->usage().completion_tokens(), 7);
}

TEST(ParseChunk, SurvivesWhateverAServerSends) {
  for (const char* data :
       {"", "x", "[]", "7", R"({"choices":7})", R"({"choices":[7]})",
        R"({"choices":[{"delta":7}]})", R"({"choices":[{"delta":{"content":7}}]})",
        R"({"usage":[]})", R"({"error":"boom"})", R"({"error":{"message":7}})"}) {
    const auto chunk = ParseChunk(data);
    if (chunk.ok()) {
      EXPECT_EQ(chunk->text(), "") << data;
    } else {
      EXPECT_EQ(chunk.status().code(), StatusCode::kUnavailable) << data;
      EXPECT_FALSE(GetErrorInfo(chunk.status()).next_step.empty()) << data;
    }
  }
}

TEST(ParseEmbeddings, PutsThemInOrder) {
  const auto response = ParseEmbeddings(
      R"({"data":[{"index":1,"embedding":[3]},{"index":0,"embedding":[1,2.5]}],
          "usage":{"prompt_tokens":9}})",
      2);
  ASSERT_TRUE(response.ok());
  ASSERT_EQ(response->embeddings_size(), 2);
  EXPECT_EQ(response->embeddings(0).values_size(), 2);
  EXPECT_FLOAT_EQ(response->embeddings(0).values(1), 2.5f);
  EXPECT_FLOAT_EQ(response->embeddings(1).values(0), 3.f);
  EXPECT_EQ(response->usage().prompt_tokens(), 9);
}

TEST(ParseEmbeddings, RefusesWhatDoesNotFit) {
  for (const char* body :
       {"", "{}", R"({"data":[]})", R"({"data":[{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":-1,"embedding":[1]}]})", R"({"data":[{"index":0,"embedding":["a"]}]})",
        R"({"data":[{"index":0}]})", R"({"data":[7]})"}) {
    EXPECT_EQ(ParseEmbeddings(body, 1).status().code(), StatusCode::kUnavailable) << body;
  }
}

TEST(ParseError, TakesTheServersSentence) {
  const Status status = ParseError(
      400, R"({"error":{"message":"'temperature' must be a number","code":"invalid_request"}})");
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status), "'temperature' must be a number");
  EXPECT_EQ(GetErrorInfo(status).code, "invalid_request");
}

TEST(ParseError, SaysSomethingInAnyCase) {
  const Status status = ParseError(500, "<html>");
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(Message(status).find("500"), std::string::npos);
}

}  // namespace
}  // namespace llmd::rpc
