// Metadata over HTTP, against the fixture hub.
#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/thread.h"
#include "hub/hub_test.h"

namespace llmd::hub {
namespace {

using namespace std::chrono_literals;
using ::llmd::testing::Exchange;
using ::llmd::testing::FailsWith;
using ::llmd::testing::HubProcess;
using ::llmd::testing::IsOk;
using ::llmd::testing::RandomBytes;
using nlohmann::json;

json Fault(json fields) { return json::array({std::move(fields)}); }

class HttpHubTest : public HubTest {};

TEST_F(HttpHubTest, KnowsARepository) {
  Publish("acme/tiny", RandomBytes(5000, 1),
          {{"info", {{"tags", {"license:mit"}}, {"pipeline_tag", "text-generation"}}}});
  const auto hub = MakeHub(Options());
  const auto repository = Open(*hub, "acme/tiny");
  ASSERT_THAT(repository, IsOk());
  EXPECT_EQ((*repository)->info().source, "hub");
  EXPECT_EQ((*repository)->info().revision->size(), 40u);
  EXPECT_EQ((*repository)->info().license, "mit");
  EXPECT_EQ((*repository)->info().pipeline_tag, "text-generation");
}

TEST_F(HttpHubTest, UnknownRepositoriesRevisionsAndNames) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  EXPECT_THAT(Open(*hub, "acme/none"), FailsWith(StatusCode::kNotFound, "repository_not_found"));
  EXPECT_THAT(hub->Open({.repo_id = "acme/tiny", .revision = "v9/x"}, {}),
              FailsWith(StatusCode::kNotFound, "revision_not_found"));
  EXPECT_THAT(hub->Open({.repo_id = "acme/tiny", .revision = std::string(1 << 20, 'x')}, {}),
              FailsWith(StatusCode::kInvalidArgument, "revision_not_found"));
  server().ClearLog();
  for (const char* id : {"", "a/b/c", "../x", "acme/..", "acme/x y", "acme/tiny?x=1", "-x/y"}) {
    EXPECT_THAT(Open(*hub, id), FailsWith(StatusCode::kInvalidArgument, "invalid_repository_id"));
  }
  EXPECT_TRUE(server().Log().empty());
}

TEST_F(HttpHubTest, GateByCaller) {
  Publish("acme/gated", "weights", {{"gated", "manual"}, {"tokens", {kGoodToken}}});
  const auto hub = MakeHub(Options());
  const auto access = [&](const std::string& token) {
    const auto repository = Open(*hub, "acme/gated", {.token = token});
    return repository.ok() ? (*repository)->CheckAccess({}) : repository.status();
  };
  EXPECT_THAT(access(""), FailsWith(StatusCode::kUnauthenticated, "gated_needs_token"));
  EXPECT_THAT(access(kOtherToken), FailsWith(StatusCode::kPermissionDenied, "gated"));
  EXPECT_THAT(access("hf_wrong"), FailsWith(StatusCode::kUnauthenticated, "invalid_token"));
  EXPECT_THAT(access(kGoodToken), IsOk());
  EXPECT_THAT(access("two\nlines"), FailsWith(StatusCode::kUnauthenticated, "invalid_token"));
  const auto anonymous = *Open(*hub, "acme/gated");
  EXPECT_THAT(anonymous->List({}), IsOk());  // what it has may be seen by everybody
  EXPECT_THAT(anonymous->ReadSmall("config.json", 1000, {}),
              FailsWith(StatusCode::kUnauthenticated, "gated_needs_token"));
}

TEST_F(HttpHubTest, GateBehindAMirrorWithoutAuthCheck) {
  Publish("acme/gated", "weights", {{"gated", "manual"}, {"tokens", {kGoodToken}}});
  const auto hub = MakeHub(Options());
  server().SetFaults(
      Fault({{"match", "/auth-check"}, {"times", -1}, {"status", 404}, {"code", "RepoNotFound"}}));
  EXPECT_THAT((*Open(*hub, "acme/gated"))->CheckAccess({}),
              FailsWith(StatusCode::kUnauthenticated, "gated_needs_token"));
  EXPECT_THAT((*Open(*hub, "acme/gated", {.token = kGoodToken}))->CheckAccess({}), IsOk());
}

TEST_F(HttpHubTest, PrivateAndDisabled) {
  Publish("acme/private", "weights", {{"private", true}, {"tokens", {kGoodToken}}});
  Publish("acme/disabled", "weights", {{"disabled", true}});
  const auto hub = MakeHub(Options());
  EXPECT_THAT(Open(*hub, "acme/private"), FailsWith(StatusCode::kNotFound, "repository_not_found"));
  EXPECT_THAT(Open(*hub, "acme/private", {.token = kOtherToken}),
              FailsWith(StatusCode::kNotFound, "repository_not_found"));
  EXPECT_THAT(Open(*hub, "acme/private", {.token = kGoodToken}), IsOk());
  EXPECT_THAT(Open(*hub, "acme/disabled"),
              FailsWith(StatusCode::kPermissionDenied, "repository_disabled"));
}

TEST_F(HttpHubTest, RenamedRepositoryIsFollowedAndKnownByItsNewName) {
  Publish("acme/tiny", RandomBytes(5000, 2), {{"renamed_from", {"acme/old"}}});
  const auto hub = MakeHub(Options());
  const auto repository = Open(*hub, "acme/old", {.token = kGoodToken});
  ASSERT_THAT(repository, IsOk());
  EXPECT_EQ((*repository)->info().repo_id, "acme/tiny");
  EXPECT_THAT((*repository)->ReadSmall("config.json", 1000, {}), IsOk());
  // A relative redirect stays with the hub, and so does the token.
  for (const Exchange& exchange : server().Log()) EXPECT_EQ(exchange.auth, "Bearer hf_good");
}

TEST_F(HttpHubTest, AnotherNameWithoutARenameIsNotBelieved) {
  Publish("acme/tiny", "weights", {{"info", {{"id", "meta/famous"}}}});
  const auto hub = MakeHub(Options());
  EXPECT_EQ((*Open(*hub, "acme/tiny"))->info().repo_id, "acme/tiny");
}

TEST_F(HttpHubTest, ListsPageByPage) {
  HubProcess paged({"--page", "7"});
  for (int i = 0; i < 30; ++i) paged.Write("acme/many", fmt::format("d{}/f.txt", i), "x");
  paged.Reload();
  const auto hub = MakeHub(Options(paged.url()));
  const auto list = (*Open(*hub, "acme/many"))->List({});
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ(list->files.size(), 30u);
  EXPECT_EQ(paged.Log("/tree/").size(), 9u);  // 60 entries, folders too
}

TEST_F(HttpHubTest, MoreFilesThanWeReadAreRefused) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  const auto list = [&](size_t count) {
    std::string page = "[";
    for (size_t i = 0; i < count; ++i) {
      page += fmt::format(R"({}{{"type":"file","path":"f{}","size":1}})", i == 0 ? "" : ",", i);
    }
    server().SetFaults(Fault({{"match", "/tree/"}, {"body", page + "]"}}));
    return (*Open(*hub, "acme/tiny"))->List({});
  };
  EXPECT_THAT(list(kMaxInventoryEntries + 1),
              FailsWith(StatusCode::kResourceExhausted, "too_many_files"));
  const auto most = list(kMaxInventoryEntries);
  ASSERT_THAT(most, IsOk());
  EXPECT_EQ(most->files.size(), kMaxInventoryEntries);
}

TEST_F(HttpHubTest, AListThatNeverEndsIsRefused) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  server().SetFaults(Fault({{"match", "/tree/"},
                            {"times", -1},
                            {"body", "[]"},
                            {"headers", {{"Link", "<?cursor=1>; rel=\"next\""}}}}));
  EXPECT_THAT((*Open(*hub, "acme/tiny"))->List({}),
              FailsWith(StatusCode::kResourceExhausted, "too_many_files"));
}

TEST_F(HttpHubTest, HostileNamesAreRefused) {
  const auto hub = MakeHub(Options());
  int count = 0;
  for (const char* path : {"../x.json", "/etc/passwd", "a/../../b", "C:x.json", "\\\\host\\x",
                           "a\\..\\b", "nul.txt", "a\nb", "con", "x/./y", "trailing. "}) {
    const std::string id = fmt::format("acme/hostile{}", count++);
    Publish(id, "weights", {{"virtual", {{{"path", path}, {"content", "{}"}}}}});
    EXPECT_THAT((*Open(*hub, id))->List({}), FailsWith(StatusCode::kInvalidArgument, "unsafe_path"))
        << path;
  }
}

TEST_F(HttpHubTest, NextPageOnAnotherOriginIsRefusedWithoutARequest) {
  Publish("acme/tiny", "weights");
  HubProcess stranger;
  const auto hub = MakeHub(Options());
  const std::string link =
      fmt::format("<{}/api/models/acme/tiny/tree/x>; rel=\"next\"", stranger.url());
  server().SetFaults(Fault({{"match", "/tree/"}, {"add_headers", {{"Link", link}}}}));
  EXPECT_THAT((*Open(*hub, "acme/tiny", {.token = kGoodToken}))->List({}),
              FailsWith(StatusCode::kFailedPrecondition, "unsafe_redirect"));
  EXPECT_TRUE(stranger.Log().empty());
}

TEST_F(HttpHubTest, FactsFromAnotherOriginAreRefusedWithoutARequest) {
  Publish("acme/tiny", "weights");
  HubProcess stranger;
  const auto hub = MakeHub(Options());
  server().SetFaults(
      Fault({{"match", "/revision/"},
             {"status", 307},
             {"headers", {{"Location", stranger.url() + "/api/models/acme/tiny"}}}}));
  EXPECT_THAT(Open(*hub, "acme/tiny", {.token = kGoodToken}),
              FailsWith(StatusCode::kFailedPrecondition, "unsafe_redirect"));
  EXPECT_TRUE(stranger.Log().empty());
}

TEST_F(HttpHubTest, EndlessRedirectsEnd) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  server().SetFaults(Fault({{"match", "/revision/"},
                            {"times", -1},
                            {"status", 302},
                            {"headers", {{"Location", "/api/models/acme/tiny/revision/main"}}}}));
  EXPECT_THAT(Open(*hub, "acme/tiny"),
              FailsWith(StatusCode::kFailedPrecondition, "unsafe_redirect"));
  EXPECT_LE(server().Log().size(), 12u);
}

TEST_F(HttpHubTest, AnswersThatMakeNoSenseAreSaid) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  for (const std::string& body :
       {std::string("not json"), std::string("{"), std::string("[]"), std::string(R"({"sha":1})"),
        std::string(500'000, '['), std::string(R"({"sha":")") + std::string(40, 'z') + "\"}"}) {
    server().SetFaults(Fault({{"match", "/revision/"}, {"times", -1}, {"body", body}}));
    EXPECT_THAT(Open(*hub, "acme/tiny"), FailsWith(StatusCode::kUnavailable, "hub_error"))
        << body.substr(0, 80);
  }
}

TEST_F(HttpHubTest, ServerErrorsAreTriedAgain) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  for (const int status : {500, 502, 503, 504, 408}) {
    server().SetFaults(Fault({{"match", "/revision/"}, {"times", 2}, {"status", status}}));
    EXPECT_THAT(Open(*hub, "acme/tiny"), IsOk()) << status;
  }
  EXPECT_EQ(waits().size(), 10u);
  server().SetFaults(Fault({{"match", "/revision/"}, {"times", -1}, {"status", 503}}));
  EXPECT_THAT(Open(*hub, "acme/tiny"), FailsWith(StatusCode::kUnavailable, "hub_error"));
  server().SetFaults(Fault({{"match", "/revision/"}, {"drop", true}}));
  EXPECT_THAT(Open(*hub, "acme/tiny"), IsOk());
}

TEST_F(HttpHubTest, WaitsForANewQuotaWhenItComesSoon) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  server().SetFaults(Fault({{"match", "/revision/"}, {"rate_limit", 3}}));
  EXPECT_THAT(Open(*hub, "acme/tiny"), IsOk());
  ASSERT_FALSE(waits().empty());
  EXPECT_EQ(waits().front(), Duration(4s));
}

TEST_F(HttpHubTest, DoesNotLetACheckWaitForMinutes) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  server().SetFaults(Fault({{"match", "/revision/"}, {"times", -1}, {"rate_limit", 200}}));
  const auto refused = Open(*hub, "acme/tiny");
  EXPECT_THAT(refused, FailsWith(StatusCode::kUnavailable, "rate_limited"));
  EXPECT_EQ(GetErrorInfo(refused.status()).next_step, "Try again in 201 seconds.");
  // And the quota's end is remembered: no request until then.
  server().SetFaults(json::array());
  server().ClearLog();
  EXPECT_THAT(Open(*hub, "acme/tiny"), FailsWith(StatusCode::kUnavailable, "rate_limited"));
  EXPECT_TRUE(server().Log().empty());
}

TEST_F(HttpHubTest, NobodyThere) {
  HubOptions options = Options("http://127.0.0.1:1");
  const auto hub = MakeHub(options);
  const auto refused = Open(*hub, "acme/tiny");
  EXPECT_THAT(refused, FailsWith(StatusCode::kUnavailable, "hub_unreachable"));
  EXPECT_NE(Message(refused.status()).find("127.0.0.1:1"), std::string::npos);
  const auto odd = MakeHub(Options("ftp://hub"));
  EXPECT_THAT(Open(*odd, "acme/tiny"), FailsWith(StatusCode::kInvalidArgument, "invalid_endpoint"));
}

TEST_F(HttpHubTest, CancelEndsAWaitingRequest) {
  Publish("acme/tiny", "weights");
  HubOptions options = Options();
  options.stall_timeout = 600s;
  const auto hub = MakeHub(options);
  server().SetFaults(Fault({{"match", "/revision/"}, {"delay", 600}}));
  CancelSource source;
  JoiningThread canceller("canceller", [&] {
    server().WaitFor("/revision/", 0);
    source.Cancel();
  });
  EXPECT_EQ(hub->Open({.repo_id = "acme/tiny"}, source.token()).status().code(),
            StatusCode::kCancelled);
  server().Release();
}

TEST_F(HttpHubTest, AStalledAnswerIsGivenUp) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  server().SetFaults(Fault({{"match", "/revision/"}, {"times", 1}, {"delay", 600}}));
  EXPECT_THAT(Open(*hub, "acme/tiny"), IsOk());
  EXPECT_EQ(server().Log("/revision/").size(), 2u);
  server().Release();
}

TEST_F(HttpHubTest, ReadsSmallFilesAndChecksThem) {
  Publish("acme/tiny", RandomBytes(300'000, 3));
  server().Write("acme/tiny", "sp ace/\xC3\xBC#%?.json", "{\"a\": 1}");
  server().Reload();
  const auto hub = MakeHub(Options());
  const auto repository = *Open(*hub, "acme/tiny");
  EXPECT_EQ(*repository->ReadSmall("config.json", 1000, {}), R"({"model_type": "llama"})");
  EXPECT_EQ(*repository->ReadSmall("sp ace/\xC3\xBC#%?.json", 1000, {}), "{\"a\": 1}");
  EXPECT_THAT(repository->ReadSmall("config.json", 5, {}),
              FailsWith(StatusCode::kResourceExhausted, "file_too_large"));
  EXPECT_THAT(repository->ReadSmall("none.json", 5, {}),
              FailsWith(StatusCode::kNotFound, "file_not_found"));
  EXPECT_THAT(repository->ReadSmall("../config.json", 5, {}),
              FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
}

TEST_F(HttpHubTest, ADamagedSmallFileIsNotBelieved) {
  Publish("acme/tiny", "weights");
  const auto hub = MakeHub(Options());
  const auto repository = *Open(*hub, "acme/tiny");
  server().SetFaults(
      Fault({{"match", "resolve-cache.*config.json"}, {"times", 1}, {"wrong_byte", 3}}));
  EXPECT_THAT(repository->ReadSmall("config.json", 1000, {}),
              FailsWith(StatusCode::kDataLoss, "checksum_mismatch"));
  EXPECT_THAT(repository->ReadSmall("config.json", 1000, {}), IsOk());
}

TEST_F(HttpHubTest, AnLfsPointerInPlaceOfWeightsIsSaid) {
  Publish(
      "acme/tiny", "x",
      {{"virtual",
        {{{"path", "w.bin"},
          {"lfs", false},
          {"content", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"}}}}});
  const auto hub = MakeHub(Options());
  EXPECT_THAT((*Open(*hub, "acme/tiny"))->ReadRange("w.bin", 0, 100'000, {}),
              FailsWith(StatusCode::kDataLoss, "lfs_pointer"));
}

TEST_F(HttpHubTest, ReadsRangesOfLargeFilesAndNothingElse) {
  const std::string weights = RandomBytes(300'000, 4);
  Publish("acme/tiny", weights);
  const auto hub = MakeHub(Options());
  const auto repository = *Open(*hub, "acme/tiny", {.token = kGoodToken});
  EXPECT_EQ(*repository->ReadRange("model.safetensors", 1000, 500, {}), weights.substr(1000, 500));
  EXPECT_EQ(*repository->ReadRange("model.safetensors", 299'900, 500, {}), weights.substr(299'900));
  EXPECT_EQ(*repository->ReadRange("model.safetensors", 300'000, 5, {}), "");
  EXPECT_FALSE(repository->ReadRange("model.safetensors", -1, 5, {}).ok());
  server().WaitFor("xet-bridge", 600);
  EXPECT_EQ(server().BytesSent("xet-bridge"), 600);
  // The address is remembered: the second range does not ask the hub again.
  EXPECT_EQ(server().Log("resolve/.*model.safetensors").size(), 1u);
  // The token goes to the hub and to nobody else.
  for (const Exchange& exchange : server().Log()) {
    EXPECT_EQ(exchange.auth, exchange.side == "hub" ? "Bearer hf_good" : "") << exchange.path;
  }
}

TEST_F(HttpHubTest, AProbeOfAServerThatIgnoresRangeTakesNoMoreThanItWants) {
  const std::string weights = RandomBytes(40 << 20, 5);
  Publish("acme/tiny", weights);
  const auto hub = MakeHub(Options());
  const auto repository = *Open(*hub, "acme/tiny");
  server().SetFaults(Fault({{"side", "cdn"}, {"times", -1}, {"ignore_range", true}}));
  EXPECT_EQ(*repository->ReadRange("model.safetensors", 0, 1000, {}), weights.substr(0, 1000));
  EXPECT_LT(server().BytesSent("xet-bridge"), static_cast<int64_t>(weights.size()));
  EXPECT_THAT(repository->ReadRange("model.safetensors", 5000, 1000, {}),
              FailsWith(StatusCode::kUnavailable, "hub_error"));
}

TEST_F(HttpHubTest, ABatchIsReadAtOnceAndNotAgain) {
  Publish("acme/tiny", RandomBytes(300'000, 6));
  std::vector<ReadRequest> wanted = {{.path = "model.safetensors", .length = 100'000},
                                     {.path = "none.json", .length = 10, .whole = true},
                                     {.path = "model.safetensors", .length = 10, .whole = true},
                                     {.path = "../x", .length = 10, .whole = true}};
  for (int i = 0; i < 12; ++i) {
    server().Write("acme/tiny", fmt::format("c{}.json", i), std::string(1000, 'x'));
    wanted.push_back({.path = fmt::format("c{}.json", i), .length = 5000, .whole = true});
  }
  server().Reload();
  const auto hub = MakeHub(Options());
  const auto repository = *Open(*hub, "acme/tiny");
  ASSERT_THAT(repository->List({}), IsOk());
  // Only a second request under way at the same time lets the first one go on.
  server().SetFaults(Fault({{"match", "resolve/"}, {"times", 2}, {"delay", 600}}));
  JoiningThread releaser("releaser", [&] {
    while (server().Log("resolve/").size() < 2) server().WaitFor("resolve/", 0);
    server().Release();
  });
  ASSERT_THAT(repository->Prefetch(wanted, {}), IsOk());
  releaser.Join();
  EXPECT_GE(server().Peak(), 2);
  EXPECT_LE(server().Peak(), 8);
  EXPECT_EQ(server().BytesSent("xet-bridge"), 100'000);
  server().ClearLog();
  for (int i = 0; i < 12; ++i) {
    EXPECT_THAT(repository->ReadSmall(fmt::format("c{}.json", i), 5000, {}), IsOk());
  }
  EXPECT_THAT(repository->ReadRange("model.safetensors", 0, 8, {}), IsOk());
  EXPECT_THAT(repository->ReadRange("model.safetensors", 8, 5000, {}), IsOk());
  EXPECT_TRUE(server().Log().empty());
}

}  // namespace
}  // namespace llmd::hub
