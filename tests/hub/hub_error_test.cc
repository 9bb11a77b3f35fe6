#include "hub/hub_error.h"

#include "hub/status_matchers.h"

namespace llmd::hub {
namespace {

using ::llmd::testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::Not;

struct Case {
  const char* name;
  int status;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string path;
  bool has_token;
  StatusCode code;
  std::string error;
};

const Subject kSubject{.endpoint = "https://hub", .repo_id = "acme/tiny", .revision = "v1"};

Status ErrorFor(const Case& test) {
  Subject subject = kSubject;
  subject.path = test.path;
  subject.has_token = test.has_token;
  return ErrorFromAnswer({.status = test.status, .headers = test.headers}, subject);
}

class ErrorFromAnswerTest : public ::testing::TestWithParam<Case> {};

TEST_P(ErrorFromAnswerTest, HasTheStableCode) {
  const Status status = ErrorFor(GetParam());
  EXPECT_THAT(status, FailsWith(GetParam().code, GetParam().error));
  EXPECT_THAT(Message(status), Not(HasSubstr("  ")));
}

const std::pair<std::string, std::string> kGated = {"x-error-code", "GatedRepo"};
const std::pair<std::string, std::string> kNoRepo = {"x-error-code", "RepoNotFound"};

INSTANTIATE_TEST_SUITE_P(
    Table, ErrorFromAnswerTest,
    ::testing::Values(
        Case{"Missing", 401, {kNoRepo}, "", false, StatusCode::kNotFound, "repository_not_found"},
        Case{"MissingToToken",
             404,
             {kNoRepo},
             "",
             true,
             StatusCode::kNotFound,
             "repository_not_found"},
        Case{"BareUnauthorized", 401, {}, "", false, StatusCode::kNotFound, "repository_not_found"},
        Case{"Gated",
             401,
             {kGated},
             "config.json",
             false,
             StatusCode::kUnauthenticated,
             "gated_needs_token"},
        Case{"GatedForToken",
             403,
             {kGated},
             "config.json",
             true,
             StatusCode::kPermissionDenied,
             "gated"},
        Case{"BadToken",
             401,
             {{"x-error-message", "Invalid credentials in Authorization header"}},
             "",
             true,
             StatusCode::kUnauthenticated,
             "invalid_token"},
        Case{"Revision",
             404,
             {{"x-error-code", "RevisionNotFound"}},
             "",
             false,
             StatusCode::kNotFound,
             "revision_not_found"},
        Case{"File",
             404,
             {{"x-error-code", "EntryNotFound"}},
             "x.json",
             false,
             StatusCode::kNotFound,
             "file_not_found"},
        Case{"Disabled",
             403,
             {{"x-error-message", "Access to this resource is disabled."}},
             "",
             false,
             StatusCode::kPermissionDenied,
             "repository_disabled"},
        Case{"Forbidden", 403, {}, "", true, StatusCode::kPermissionDenied, "access_denied"},
        Case{"RateLimit", 429, {}, "", false, StatusCode::kUnavailable, "rate_limited"},
        Case{"Server", 503, {}, "", false, StatusCode::kUnavailable, "hub_error"},
        Case{"NotImplemented",
             501,
             {},
             "x.json",
             false,
             StatusCode::kFailedPrecondition,
             "hub_error"},
        Case{"Odd", 418, {}, "x.json", false, StatusCode::kFailedPrecondition, "hub_error"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ErrorFromAnswer, GateHasADifferentSentenceAndStepForEachCaller) {
  const Case anonymous{"", 401, {kGated}, "x", false, {}, ""};
  const Case with_token{"", 403, {kGated}, "x", true, {}, ""};
  EXPECT_NE(Message(ErrorFor(anonymous)), Message(ErrorFor(with_token)));
  EXPECT_THAT(GetErrorInfo(ErrorFor(anonymous)).next_step, HasSubstr("HF_TOKEN"));
  EXPECT_THAT(GetErrorInfo(ErrorFor(with_token)).next_step, HasSubstr("https://hub/acme/tiny"));
}

TEST(ErrorFromAnswer, QuotesTheServerWithinBoundsAndWithoutControls) {
  const std::string words = std::string("\x1b[31mred") + std::string(100'000, 'x');
  const Status status =
      ErrorFromAnswer({.status = 500, .headers = {{"x-error-message", words}}}, kSubject);
  EXPECT_LT(Message(status).size(), 600u);
  EXPECT_EQ(Message(status).find('\x1b'), std::string::npos);
  const Status from_body =
      ErrorFromAnswer({.status = 500, .body = R"({"error": "no room left"})"}, kSubject);
  EXPECT_THAT(Message(from_body), HasSubstr("no room left"));
}

}  // namespace
}  // namespace llmd::hub
