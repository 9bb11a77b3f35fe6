// What every Supervisor does, asked of the real one and of the fake.
#include "supervisor/supervisor_fixture.h"
#include "support/fakes/fake_supervisor.h"

namespace llmd::supervisor {
namespace {

using ::testing::ElementsAre;

// A script that does what is written into its FIFO, line by line.
constexpr char kObedient[] = R"(
while read command < orders; do
  case $command in
    ready) echo '{"event":"ready"}' >&3 ;;
    fail) exit 7 ;;
  esac
done
)";

class SupervisorContract : public testing::SupervisorTest,
                           public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    SupervisorTest::SetUp();
    orders_ = MakeFifo("orders");
    if (is_real()) {
      Begin();
      return;
    }
    observed_ = std::make_unique<testing::Observed>();
    auto fake = std::make_unique<testing::FakeSupervisor>(
        [observed = observed_.get()](const ServerRecord& record) { observed->Add(record); });
    fake_ = fake.get();
    supervisor_ = std::move(fake);
    ASSERT_TRUE(supervisor_->Begin().ok());
  }

  bool is_real() const { return GetParam(); }
  void BecomeReady() {
    if (is_real()) {
      std::ofstream(orders_) << "ready\n";
    } else {
      fake_->Ready("org_name", "unix:///x");
    }
  }
  void Fail() {
    if (is_real()) {
      std::ofstream(orders_) << "fail\n";
    } else {
      fake_->Fail("org_name", MakeStatus(StatusCode::kUnavailable, "dead",
                                         {.code = "server_failed", .next_step = ""}));
    }
  }

  std::filesystem::path orders_;
  testing::FakeSupervisor* fake_ = nullptr;
};

TEST_P(SupervisorContract, StartsJoinAndAReadyOneIsAnsweredAtOnce) {
  auto first = Start(Spec(kObedient));
  auto second = Start(Spec(kObedient));
  BecomeReady();
  const Started record = Get(std::move(first));
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->state, ServerState::kReady);
  EXPECT_GT(record->pid, 0);
  EXPECT_TRUE(record->endpoint.starts_with("unix:///"));
  EXPECT_EQ(Get(std::move(second))->pid, record->pid);
  EXPECT_EQ(StartAndWait(Spec(kObedient))->pid, record->pid);
  EXPECT_EQ(supervisor_->List().size(), 1u);
  EXPECT_TRUE(StopAndWait("org_name", 30'000).ok());
  EXPECT_TRUE(supervisor_->List().empty());
  EXPECT_THAT(observed_->States(), ElementsAre(ServerState::kStarting, ServerState::kReady,
                                               ServerState::kStopping, ServerState::kStopped));
}

TEST_P(SupervisorContract, AFailureIsToldAndKeptUntilAStopOrAStart) {
  auto start = Start(Spec(kObedient));
  Fail();
  EXPECT_EQ(GetErrorInfo(Get(std::move(start)).status()).code, "server_failed");
  ASSERT_EQ(supervisor_->List().size(), 1u);
  EXPECT_EQ(supervisor_->List()[0].state, ServerState::kFailed);
  EXPECT_FALSE(supervisor_->List()[0].reason.empty());
  EXPECT_TRUE(StopAndWait("org_name", 0).ok());
  EXPECT_TRUE(supervisor_->List().empty());
  auto again = Start(Spec(kObedient));
  BecomeReady();
  EXPECT_TRUE(Get(std::move(again)).ok());
}

TEST_P(SupervisorContract, ADeathAfterReadyIsToldToTheObserver) {
  auto start = Start(Spec(kObedient));
  BecomeReady();
  ASSERT_TRUE(Get(std::move(start)).ok());
  Fail();
  const auto failed = observed_->WaitFor(ServerState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->pid, 0);
}

TEST_P(SupervisorContract, AStopBeforeReadyAndAStopOfNothing) {
  EXPECT_TRUE(StopAndWait("org_name", 0).ok());
  auto start = Start(Spec(kObedient));
  EXPECT_TRUE(StopAndWait("org_name", 30'000).ok());
  const Status status = Get(std::move(start)).status();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(GetErrorInfo(status).code, "server_stopped");
}

INSTANTIATE_TEST_SUITE_P(Both, SupervisorContract, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Real" : "Fake"; });

}  // namespace
}  // namespace llmd::supervisor
