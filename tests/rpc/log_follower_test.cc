#include "rpc/log_follower.h"

#include <gtest/gtest.h>
#include <llmd/v1/servers.grpc.pb.h>

#include <fstream>

#include "rpc/control_fixture.h"

namespace llmd::rpc {
namespace {

class LogFollowerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fixture.server->Start().ok());
    fixture.AddModel();
    std::filesystem::create_directories(log.parent_path());
  }

  void Append(const std::string& text) { std::ofstream(log, std::ios::app) << text; }

  // Reads until `text` has come; what came.
  std::string ReadUntil(const std::string& text) {
    std::string got;
    v1::LogChunk chunk;
    while (got.find(text) == std::string::npos && reader->Read(&chunk)) got += chunk.text();
    return got;
  }

  void Open(int tail, bool follow) {
    v1::LogsRequest request;
    request.set_model(kModel);
    request.set_tail_lines(tail);
    request.set_follow(follow);
    reader = stub->Logs(&context, request);
  }

  ControlFixture fixture;
  const std::filesystem::path log = fixture.home.model(kFolder) / "logs" / "server.log";
  std::unique_ptr<v1::Servers::Stub> stub = v1::Servers::NewStub(fixture.Channel());
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::LogChunk>> reader;
};

TEST_F(LogFollowerTest, LastLinesAndTheEnd) {
  Append("one\ntwo\nthree\n");
  Open(2, false);
  EXPECT_EQ(ReadUntil("never"), "two\nthree\n");
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(LogFollowerTest, NoLogYetIsAnEmptyAnswer) {
  Open(10, false);
  EXPECT_EQ(ReadUntil("never"), "");
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(LogFollowerTest, LongLogComesWhole) {
  std::string whole;
  for (int i = 0; i < 60'000; ++i) whole += "line " + std::to_string(i) + " of a long log\n";
  Append(whole);
  Open(1'000'000, false);
  EXPECT_EQ(ReadUntil("never"), whole);
}

TEST_F(LogFollowerTest, FollowsGrowthAndRotation) {
  Open(10, true);
  reader->WaitForInitialMetadata();
  Append("first\n");
  EXPECT_EQ(ReadUntil("first\n"), "first\n");
  Append("second\n");
  EXPECT_EQ(ReadUntil("second\n"), "second\n");
  std::filesystem::rename(log, log.string() + ".1");
  Append("in the new file\n");
  EXPECT_EQ(ReadUntil("new file\n"), "in the new file\n");
  context.TryCancel();
}

TEST_F(LogFollowerTest, BytesThatAreNoTextAreReplaced) {
  Append(
      "a\xff"
      "b\n");
  Open(10, false);
  EXPECT_EQ(ReadUntil("never"), "a\uFFFDb\n");
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(LogFollowerTest, UnknownModelIsSaid) {
  v1::LogsRequest request;
  request.set_model("nothing");
  auto refused = stub->Logs(&context, request);
  v1::LogChunk chunk;
  EXPECT_FALSE(refused->Read(&chunk));
  EXPECT_EQ(refused->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace llmd::rpc
