#include "pyenv/uv_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace llmd::pyenv {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Status ErrorOf(const std::string& output) {
  return UvError(Lines(output), "resolving the packages", "/home/model");
}

struct Case {
  const char* what;
  StatusCode code;
  const char* name;
  const char* says;
  const char* output;  // as uv 0.13 prints it
};

class UvErrorTest : public ::testing::TestWithParam<Case> {};

TEST_P(UvErrorTest, IsUnderstood) {
  const Status status = ErrorOf(GetParam().output);
  EXPECT_EQ(status.code(), GetParam().code) << Message(status);
  EXPECT_EQ(GetErrorInfo(status).code, GetParam().name) << Message(status);
  EXPECT_THAT(Message(status), HasSubstr(GetParam().says));
  EXPECT_THAT(Message(status), HasSubstr("resolving the packages failed: "));
  EXPECT_NE(GetErrorInfo(status).next_step, "");
}

INSTANTIATE_TEST_SUITE_P(
    Outputs, UvErrorTest,
    ::testing::Values(
        Case{"NoSuchVersion", StatusCode::kFailedPrecondition, "unsatisfiable",
             "only idna<=3.20 is available and you require idna>=99",
             "error: No solution found when resolving dependencies\n"
             "  cause: Because only idna<=3.20 is available and you require idna>=99, we can "
             "conclude that your requirements are unsatisfiable.\n"},
        Case{"ContinuedCause", StatusCode::kFailedPrecondition, "unsatisfiable",
             "a==1 depends on c>2 we can conclude",
             "error: No solution found when resolving dependencies\n"
             "  cause: Because a==1\n         depends on c>2\n         we can conclude that your "
             "requirements are unsatisfiable.\n"},
        Case{"NoWheel", StatusCode::kFailedPrecondition, "unsatisfiable", "no usable wheels",
             "error: No solution found when resolving dependencies\n"
             "  cause: Because all versions of mamba-ssm have no usable wheels and you require "
             "mamba-ssm, we can conclude that your requirements are unsatisfiable.\n\n"
             "hint: Wheels are required for `mamba-ssm` because building from source is "
             "disabled for all packages (i.e., with `--no-build`)\n"},
        Case{"Refused", StatusCode::kUnavailable, "index_unreachable",
             "http://127.0.0.1:9 does not answer: Connection refused",
             "error: Request failed after 3 retries in 7.8s\n"
             "  cause: Failed to fetch: http://127.0.0.1:9/simple/idna/\n"
             "  cause: error sending request for url (http://127.0.0.1:9/simple/idna/)\n"
             "  cause: client error (Connect)\n  cause: tcp connect error\n"
             "  cause: Connection refused (os error 111)\n"},
        Case{"NoSuchHost", StatusCode::kUnavailable, "index_unreachable", "https://i.example.org",
             "error: Failed to fetch: https://i.example.org/simple/idna/\n"
             "  cause: error sending request for url (https://i.example.org/simple/idna/)\n"
             "  cause: client error (Connect)\n  cause: dns error\n"
             "  cause: failed to lookup address information: Name or service not known\n"},
        Case{"Certificate", StatusCode::kUnavailable, "index_unreachable",
             "the certificate of https://i.example.org is not trusted",
             "error: Failed to fetch: https://i.example.org/simple/idna/\n"
             "  cause: error sending request for url (https://i.example.org/simple/idna/)\n"
             "  cause: client error (Connect)\n"
             "  cause: invalid peer certificate: UnknownIssuer\n\n"
             "hint: Consider enabling use of system TLS certificates\n"},
        Case{"Offline", StatusCode::kUnavailable, "index_unreachable", "uv is offline",
             "error: No solution found when resolving dependencies\n"
             "  cause: Because idna was not found in the cache and you require idna, we can "
             "conclude that your requirements are unsatisfiable.\n\n"
             "hint: Packages were unavailable because the network was disabled. When the network "
             "is disabled, registry packages may only be read from the cache.\n"},
        Case{"Credentials", StatusCode::kUnavailable, "index_unreachable", "wants credentials",
             "error: No solution found when resolving dependencies\n"
             "  cause: Because idna was not found in the package registry and you require idna, "
             "we can conclude that your requirements are unsatisfiable.\n\n"
             "hint: An index URL (https://i.example.org/simple) could not be queried due to a "
             "lack of valid authentication credentials (401 Unauthorized).\n"},
        Case{"DiskFull", StatusCode::kResourceExhausted, "disk_full", "the disk is full",
             "Using Python 3.11.2 environment at: v\nResolved 1 package in 45ms\n"
             "error: Failed to download `idna==3.20`\n"
             "  cause: Failed to extract archive: idna-3.20-py3-none-any.whl\n"
             "  cause: I/O operation failed during extraction\n"
             "  cause: failed to write to file `/c/uts46data.py`: No space left on device (os "
             "error 28)\n"},
        Case{"WrongBytes", StatusCode::kDataLoss, "package_corrupt", "Failed to download `idna",
             "error: Failed to download `idna==3.20`\n  cause: Hash mismatch for `idna==3.20`\n\n"
             "         Expected:\n           sha256:00\n\n         Computed:\n           "
             "sha256:ab\n"},
        Case{"BadLine", StatusCode::kInvalidArgument, "bad_requirement", "idna ===",
             "error: Couldn't parse requirement in `requirements.txt` at position 0\n"
             "  cause: Unexpected end of version specifier, expected version\n"
             "         idna ===\n              ^^^\n"},
        Case{"Incompatible", StatusCode::kFailedPrecondition, "unsatisfiable",
             "requires `fastapi>=0.115`",
             "Using Python 3.11.2 environment at: v1\nChecked 1 package in 0.75ms\n"
             "Found 1 incompatibilities\n"
             "The package `llm-agent` requires `fastapi>=0.115`, but it's not installed\n"},
        Case{"Other", StatusCode::kInternal, "uv_failed", "unexpected argument '--frob' found",
             "error: unexpected argument '--frob' found\n\n  tip: to pass '--frob' as a value\n"},
        Case{"Signal", StatusCode::kInternal, "uv_failed", "signal 9 ended uv",
             "Resolved 1 package\nsignal 9 ended uv\n"},
        Case{"Nothing", StatusCode::kInternal, "uv_failed", "uv said nothing", ""}),
    [](const auto& info) { return std::string(info.param.what); });

TEST(UvErrorTest, NoPasswordIsRepeated) {
  const Status status = ErrorOf(
      "error: Failed to fetch: https://user:hunter2@i.example.org/simple/idna/\n"
      "  cause: error sending request for url (https://user:hunter2@i.example.org/x)\n");
  EXPECT_THAT(Message(status), Not(HasSubstr("hunter2")));
  EXPECT_THAT(GetErrorInfo(status).next_step, Not(HasSubstr("hunter2")));
}

TEST(UvErrorTest, LongReportsAreCut) {
  const Status status = ErrorOf("error: No solution found when resolving dependencies\n  cause: " +
                                std::string(100'000, 'x') + "\n");
  EXPECT_LT(Message(status).size(), 1000u);
}

TEST(UvErrorTest, TheLastErrorAndItsCausesCount) {
  const UvReport report = ReadUvReport(
      Lines("warning: Failed to inspect\n  cause: not this\nerror: first\n  cause: a\nerror: b\n"
            "  cause: c\n         d\nwarning: between\n  not this\n"));
  EXPECT_EQ(report.error, "b");
  EXPECT_THAT(report.causes, ::testing::ElementsAre("c d"));
}

}  // namespace
}  // namespace llmd::pyenv
