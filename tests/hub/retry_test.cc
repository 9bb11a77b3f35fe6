#include "hub/retry.h"

#include <vector>

#include "hub/http_transport.h"
#include "hub/status_matchers.h"

namespace llmd::hub {
namespace {

using namespace std::chrono_literals;
using ::llmd::testing::FailsWith;
using ::llmd::testing::IsOk;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;

const Status kBroken = MakeStatus(StatusCode::kUnavailable, "broken", {.code = "hub_error"});

// Remembers the waits instead of waiting.
class Waits {
 public:
  RetryPolicy Policy(int attempts) {
    return {.attempts = attempts, .wait = [this](Duration duration, const CancelToken& cancel) {
              waits.push_back(duration);
              return cancel.IsCancelled();
            }};
  }
  std::vector<Duration> waits;
};

TEST(Backoff, DoublesWithJitterAndGivesUp) {
  Waits log;
  const RetryPolicy policy = log.Policy(6);
  Backoff backoff(policy);
  for (int i = 0; i < 5; ++i) EXPECT_THAT(backoff.WaitAfter(kBroken, {}, {}), IsOk());
  EXPECT_THAT(backoff.WaitAfter(kBroken, {}, {}), FailsWith(StatusCode::kUnavailable, "hub_error"));
  EXPECT_THAT(log.waits,
              ElementsAre(AllOf(Ge(500ms), Le(1s)), AllOf(Ge(1s), Le(2s)), AllOf(Ge(2s), Le(4s)),
                          AllOf(Ge(4s), Le(8s)), AllOf(Ge(4s), Le(8s))));
}

TEST(Backoff, ProgressCountsTheTriesAnew) {
  Waits log;
  const RetryPolicy policy = log.Policy(2);
  Backoff backoff(policy);
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(backoff.WaitAfter(kBroken, {}, {}), IsOk());
    backoff.Reset();
  }
}

TEST(Backoff, WaitsAsLongAsTheServerAsks) {
  Waits log;
  const RetryPolicy policy = log.Policy(3);
  Backoff backoff(policy);
  EXPECT_THAT(backoff.WaitAfter(kBroken, 56s, {}), IsOk());
  EXPECT_THAT(log.waits, ElementsAre(Duration(56s)));
}

TEST(Backoff, DoesNotWaitForEver) {
  Waits log;
  const RetryPolicy policy = log.Policy(3);
  const Status status = Backoff(policy).WaitAfter(kBroken, 3600s, {});
  EXPECT_THAT(status, FailsWith(StatusCode::kUnavailable, "hub_error"));
  EXPECT_EQ(GetErrorInfo(status).next_step, "Try again in 3600 seconds.");
  EXPECT_TRUE(log.waits.empty());
}

TEST(Backoff, HearsCancel) {
  CancelSource source;
  source.Cancel();
  const RetryPolicy policy;  // really waits: must not
  EXPECT_EQ(Backoff(policy).WaitAfter(kBroken, 60s, source.token()).code(), StatusCode::kCancelled);
}

TEST(AskedWait, ReadsRateLimitAndRetryAfter) {
  const auto asked = [](std::vector<std::pair<std::string, std::string>> headers) {
    return AskedWait({.status = 429, .headers = std::move(headers)});
  };
  EXPECT_EQ(asked({{"ratelimit", "\"api\";r=0;t=55"}}), Duration(56s));
  EXPECT_EQ(asked({{"ratelimit", "\"api\"; r=0; t=7"}}), Duration(8s));
  EXPECT_EQ(asked({{"retry-after", "9"}}), Duration(9s));
  EXPECT_EQ(asked({{"ratelimit", "\"api\";r=0;t=1"}, {"retry-after", "9"}}), Duration(2s));
  // There is some left: not a reason to wait.
  EXPECT_EQ(asked({{"ratelimit", "\"api\";r=499;t=300"}}), std::nullopt);
  for (const char* odd :
       {"", "soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9", "99999999999"}) {
    EXPECT_EQ(asked({{"retry-after", odd}}), std::nullopt) << odd;
  }
  for (const char* odd : {"r=0", "t=5", ";;;", "\"api\";r=;t=", "\"api\";rr=0;t=5"}) {
    EXPECT_EQ(asked({{"ratelimit", odd}}), std::nullopt) << odd;
  }
}

TEST(IsRetryable, OnlyWhatMayGoBetterNextTime) {
  EXPECT_TRUE(IsRetryable(kBroken));
  EXPECT_FALSE(IsRetryable(MakeStatus(StatusCode::kUnavailable, "", {.code = "tls_untrusted"})));
  EXPECT_FALSE(IsRetryable(MakeStatus(StatusCode::kUnavailable, "", {.code = "offline"})));
  EXPECT_FALSE(IsRetryable(DataLoss("")));
  EXPECT_FALSE(IsRetryable(Cancelled()));
  for (const int status : {408, 429, 500, 502, 503, 504})
    EXPECT_TRUE(IsRetryableHttpStatus(status));
  for (const int status : {200, 400, 401, 403, 404, 416, 501}) {
    EXPECT_FALSE(IsRetryableHttpStatus(status)) << status;
  }
}

TEST(RateGate, HoldsBackWhileTheQuotaIsUsedUp) {
  Waits log;
  RateGate gate;
  EXPECT_THAT(gate.Wait(log.Policy(3), {}), IsOk());
  EXPECT_TRUE(log.waits.empty());
  gate.CloseFor(20s);
  gate.CloseFor(2s);  // does not open earlier
  EXPECT_THAT(gate.Wait(log.Policy(3), {}), IsOk());
  EXPECT_THAT(log.waits, ElementsAre(AllOf(Ge(15s), Le(20s))));
  RetryPolicy impatient = log.Policy(3);
  impatient.longest_asked = 5s;
  EXPECT_THAT(gate.Wait(impatient, {}), FailsWith(StatusCode::kUnavailable, "rate_limited"));
}

TEST(RateGates, FilesAndApiAreCountedApart) {
  RateGates gates;
  EXPECT_EQ(&gates.For("https://hub/acme/tiny/resolve/main/x"), &gates.files);
  EXPECT_EQ(&gates.For("https://hub/api/resolve-cache/models/x"), &gates.files);
  EXPECT_EQ(&gates.For("https://hub/api/models/acme/tiny"), &gates.api);
}

}  // namespace
}  // namespace llmd::hub
