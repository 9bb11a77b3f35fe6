// How llmd-shim answers its clients.
#include <gmock/gmock.h>

#include "shim/shim_fixture.h"

namespace llmd::shim {
namespace {

namespace fs = std::filesystem;
using platform::AttachRequest;
using platform::EndedEvent;
using platform::ServerEvent;
using platform::ShimError;
using platform::ShimPhase;
using platform::ShimState;
using platform::StatusRequest;
using platform::StoppingEvent;
using ::testing::HasSubstr;
using testing::kGoodServer;
using testing::kSleep;

class ShimTalk : public testing::ShimTest {};

TEST_F(ShimTalk, LivesOnWithoutItsClientAndTakesANewOne) {
  StartShim(kGoodServer);
  ASSERT_TRUE(WaitReady());
  client_.reset();  // llmd has died
  client_ = Connect();
  ASSERT_TRUE(client_->Send(AttachRequest{}));
  const auto state = client_->NextOf<ShimState>();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->phase, ShimPhase::kReady);
  EXPECT_EQ(state->token, "the-token");
  Stop(30);
  EXPECT_TRUE(client_->NextOf<StoppingEvent>());
  EXPECT_TRUE(End().asked);
}

TEST_F(ShimTalk, StatusAloneBringsNoEvents) {
  StartShim("echo '{\"event\":\"loading\"}' >&3\n" + std::string(kSleep));
  ASSERT_TRUE(client_->NextOf<ServerEvent>());
  auto watcher = Connect();
  ASSERT_TRUE(watcher->Send(StatusRequest{}));
  EXPECT_EQ(watcher->NextOf<ShimState>()->phase, ShimPhase::kStarting);
  Stop(30);
  EXPECT_FALSE(watcher->Next()) << "it did not ask for events";
  End();
}

TEST_F(ShimTalk, WhoAttachesLateHearsTheLastEventAndTheStop) {
  StartShim(
      "trap '' TERM; echo '{\"event\":\"loading\",\"message\":\"half\"}' >&3\n"
      "while :; do sleep 1000; done");
  ASSERT_TRUE(client_->NextOf<ServerEvent>());
  Stop(3600);
  ASSERT_TRUE(client_->NextOf<StoppingEvent>());
  auto late = Connect();
  ASSERT_TRUE(late->Send(AttachRequest{}));
  EXPECT_EQ(late->NextOf<ShimState>()->phase, ShimPhase::kStopping);
  EXPECT_EQ(late->NextOf<ServerEvent>()->message, "half");
  EXPECT_TRUE(late->NextOf<StoppingEvent>());
  Stop(0);
  EXPECT_TRUE(late->NextOf<EndedEvent>());
  End();
}

TEST_F(ShimTalk, AllWhoAreAttachedHearTheEnd) {
  StartShim(kGoodServer);
  ASSERT_TRUE(WaitReady());
  std::vector<std::unique_ptr<testing::ShimClient>> others;
  for (int i = 0; i < 5; ++i) {
    others.push_back(Connect());
    ASSERT_TRUE(others.back()->Send(AttachRequest{}));
    ASSERT_TRUE(others.back()->NextOf<ShimState>());
  }
  Stop(30);
  for (const auto& other : others) EXPECT_TRUE(other->NextOf<EndedEvent>());
  End();
}

TEST_F(ShimTalk, NonsenseIsAnsweredAndDoesNoHarm) {
  StartShim(kGoodServer);
  ASSERT_TRUE(WaitReady());
  for (const std::string& line :
       {std::string("nonsense"), std::string("{}"), std::string(R"({"protocol":1})"),
        std::string(R"({"protocol":1,"request":"dance"})"),
        std::string(R"({"protocol":1,"request":"stop"})"), std::string(100'000, '['),
        std::string(R"({"protocol":2,"request":"stop","grace_seconds":0})")}) {
    ASSERT_TRUE(client_->SendRaw(line));
    const auto error = client_->NextOf<ShimError>();
    ASSERT_TRUE(error) << line.substr(0, 50);
    EXPECT_FALSE(error->message.empty());
  }
  ASSERT_TRUE(client_->Send(StatusRequest{}));
  EXPECT_EQ(client_->NextOf<ShimState>()->phase, ShimPhase::kReady);
  Stop(30);
  End();
}

TEST_F(ShimTalk, AServerThatTalksNonsenseIsOnlyNoted) {
  StartShim("echo nonsense >&3; head -c 100000 /dev/zero | tr '\\0' x >&3; echo >&3\n" +
            kGoodServer);
  ASSERT_TRUE(WaitReady());
  Stop(30);
  End();
  EXPECT_THAT(Log(), HasSubstr("server event:1:"));
}

TEST_F(ShimTalk, AClientThatDoesNotReadIsGivenUpAndHoldsNobodyUp) {
  // 6 MB of events, more than a socket and the shim keep for one client.
  StartShim(R"(
import os
line = b'{"event":"loading","message":"' + b"x" * 10000 + b'"}\n'
for _ in range(600):
    data = line
    while data:
        data = data[os.write(3, data):]
os.write(3, b'{"event":"ready"}\n')
os.read(0, 1)
import time
time.sleep(1000)
)",
            "/usr/bin/python3");
  ASSERT_TRUE(client_->NextOf<ShimState>());  // and reads no more
  auto reader = Connect();
  ASSERT_TRUE(reader->Send(AttachRequest{}));
  bool ready = false;
  while (!ready) {
    const auto event = reader->NextOf<ServerEvent>();
    ASSERT_TRUE(event) << "the reader was cut off";
    ready = event->kind == ServerEvent::Kind::kReady;
  }
  ASSERT_TRUE(reader->Send(platform::StopRequest{.grace_seconds = 30}));
  EXPECT_TRUE(reader->NextOf<EndedEvent>());
  (void)shim_->Wait(CancelToken());
  shim_.reset();
}

TEST_F(ShimTalk, TooManyClientsAreTurnedAway) {
  StartShim(kGoodServer);
  ASSERT_TRUE(WaitReady());
  std::vector<std::unique_ptr<testing::ShimClient>> clients;
  bool turned_away = false;
  for (int i = 0; i < 40 && !turned_away; ++i) {
    clients.push_back(Connect());
    turned_away = !clients.back()->Send(StatusRequest{}) || !clients.back()->NextOf<ShimState>();
  }
  EXPECT_TRUE(turned_away);
  EXPECT_GT(clients.size(), 10u);
  Stop(30);
  End();
}

}  // namespace
}  // namespace llmd::shim
