#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "config/keys.h"
#include "support/temp_folder.h"

namespace llmd::config {
namespace {

using std::chrono_literals::operator""ms;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  StatusOr<Config> Load(const std::string& yaml = "", const Flags& flags = {}) {
    if (!yaml.empty()) folder_.Write("llmd.yaml", yaml);
    return LoadConfig({.home = folder_.path()}, flags, [this](const char* name) {
      const auto at = environment_.find(name);
      return at == environment_.end() ? std::string() : at->second;
    });
  }
  // The message of the error that `yaml` gives, which must have the code of bad settings.
  std::string ErrorOf(const std::string& yaml) {
    const StatusOr<Config> config = Load(yaml);
    if (config.ok()) return "no error";
    EXPECT_EQ(GetErrorInfo(config.status()).code, "invalid_config");
    EXPECT_NE(GetErrorInfo(config.status()).next_step, "");
    return Message(config.status());
  }

  testing::TempFolder folder_;
  std::map<std::string, std::string> environment_;
};

TEST_F(ConfigTest, NothingGivenMeansTheDefaults) {
  const StatusOr<Config> config = Load();
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->listen.ToString(), "127.0.0.1:11500");
  EXPECT_FALSE(config->grpc_listen.has_value());
  EXPECT_EQ(config->log_level, LogLevel::kInfo);
  EXPECT_TRUE(config->log_to_stderr);
  EXPECT_EQ(config->home.home, folder_.path());
}

TEST_F(ConfigTest, EmptyFilesAndEmptySectionsAreFine) {
  for (const char* yaml : {"\n", "# nothing\n", "hub:\n", "hub:\n  endpoint:\nlisten:\n"}) {
    const StatusOr<Config> config = Load(yaml);
    ASSERT_TRUE(config.ok()) << yaml << Message(config.status());
    EXPECT_EQ(config->listen.port, 11500);
  }
}

TEST_F(ConfigTest, ReadsTheServersKeys) {
  const StatusOr<Config> config = Load(R"(
listen: "[::1]:0"
grpc_listen: localhost:50051
log_level: debug
allowed_hosts: [llm.example.org]
allowed_origins: ["https://app.example.org"]
limits:
  head_bytes: 16 KiB
  json_body_bytes: 1048576
  multipart_body_bytes: 1.5 GiB
  connections: 10
  idle_seconds: 1
  head_seconds: 2
  body_seconds: 3
  write_seconds: 0.25
  load_seconds: 5
jobs: {workers: 3}
servers: {stop_grace_seconds: 2.5}
memory: {limit_bytes: 16GiB}
)");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->listen.ToString(), "[::1]:0");
  EXPECT_EQ(config->grpc_listen->ToString(), "127.0.0.1:50051");
  EXPECT_EQ(config->log_level, LogLevel::kDebug);
  EXPECT_THAT(config->allowed_hosts, ElementsAre("llm.example.org"));
  EXPECT_THAT(config->allowed_origins, ElementsAre("https://app.example.org"));
  EXPECT_EQ(config->limits.head_bytes, 16 << 10);
  EXPECT_EQ(config->limits.json_body_bytes, 1 << 20);
  EXPECT_EQ(config->limits.multipart_body_bytes, int64_t{1536} << 20);
  EXPECT_EQ(config->limits.connections, 10);
  EXPECT_EQ(config->limits.idle, 1000ms);
  EXPECT_EQ(config->limits.head, 2000ms);
  EXPECT_EQ(config->limits.body, 3000ms);
  EXPECT_EQ(config->limits.write, 250ms);
  EXPECT_EQ(config->limits.load, 5000ms);
  EXPECT_EQ(config->jobs.workers, 3);
  EXPECT_EQ(config->servers.stop_grace, 2500ms);
  EXPECT_EQ(config->memory.limit_bytes, int64_t{16} << 30);
}

TEST_F(ConfigTest, ReadsTheKeysOfHubAndPython) {
  const StatusOr<Config> config = Load(R"(
hub:
  endpoint: http://mirror.example.org:8080
  token_file: /secret/token
  cache: cache/hub
  offline: true
python:
  uv: /opt/uv
  version: "3.11"
  downloads: true
  source_builds: true
  index_url: https://packages.example.org/simple
  extra_index_urls: [https://a.example.org, https://b.example.org]
  torch_cpu_index: https://cpu.example.org
)");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->hub.endpoint, "http://mirror.example.org:8080");
  EXPECT_EQ(config->hub.token_file, "/secret/token");
  EXPECT_EQ(config->hub.cache, folder_ / "cache/hub");
  EXPECT_EQ(config->hub.offline, true);
  EXPECT_EQ(config->python.uv, "/opt/uv");
  EXPECT_EQ(config->python.version, "3.11");
  EXPECT_TRUE(config->python.downloads);
  EXPECT_TRUE(config->python.source_builds);
  EXPECT_EQ(config->python.index_url, "https://packages.example.org/simple");
  EXPECT_THAT(config->python.extra_index_urls,
              ElementsAre("https://a.example.org", "https://b.example.org"));
  EXPECT_EQ(config->python.torch_cpu_index, "https://cpu.example.org");
}

TEST_F(ConfigTest, FlagsWinOverEnvironmentWinsOverFile) {
  const std::string yaml = "listen: 127.0.0.1:1\nlog_level: error\n";
  EXPECT_EQ(Load(yaml)->listen.port, 1);
  environment_["LLMD_LISTEN"] = "127.0.0.1:2";
  EXPECT_EQ(Load(yaml)->listen.port, 2);
  EXPECT_EQ(Load(yaml)->log_level, LogLevel::kError);
  EXPECT_EQ(Load(yaml, {.listen = "127.0.0.1:3"})->listen.port, 3);
  EXPECT_EQ(Load(yaml, {.log_level = "warn"})->log_level, LogLevel::kWarn);
  EXPECT_EQ(Load(yaml, {.grpc_listen = "127.0.0.1:4"})->grpc_listen->port, 4);
  environment_["LLMD_UV"] = "/else/uv";
  EXPECT_EQ(Load("python: {uv: /opt/uv}\n")->python.uv, "/else/uv");
}

TEST_F(ConfigTest, TheHubsAndUvsOwnVariablesWinOverTheFile) {
  const std::string yaml =
      "hub: {endpoint: 'https://a.example.org', offline: false}\n"
      "python: {index_url: 'https://b.example.org'}\n";
  environment_ = {{"HF_ENDPOINT", "x"}, {"HF_HUB_OFFLINE", "1"}, {"UV_DEFAULT_INDEX", "y"}};
  const StatusOr<Config> config = Load(yaml);
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->hub.endpoint, "");
  EXPECT_FALSE(config->hub.offline.has_value());
  EXPECT_EQ(config->python.index_url, "");
  EXPECT_THAT(ErrorOf("hub: {endpoint: 3}\n"), HasSubstr("'hub.endpoint'"));
}

TEST_F(ConfigTest, UnknownKeysAreNamedWithTheirPlaceAndTheNearestKnownOne) {
  const std::string file = (folder_ / "llmd.yaml").string();
  EXPECT_EQ(ErrorOf("listen: 127.0.0.1:0\nlistn: x\n"),
            file + ":2:1: there is no setting 'listn'; did you mean 'listen'?");
  EXPECT_EQ(ErrorOf("hub:\n  endpiont: x\n"),
            file + ":2:3: there is no setting 'hub.endpiont'; did you mean 'hub.endpoint'?");
  EXPECT_EQ(ErrorOf("workers: 2\n"),
            file + ":1:1: there is no setting 'workers'; did you mean 'jobs.workers'?");
  EXPECT_EQ(ErrorOf("zzzzzzzzzzzz: 2\n"), file + ":1:1: there is no setting 'zzzzzzzzzzzz'");
  EXPECT_THAT(ErrorOf("hub: {sub: {x: 1}}\n"), HasSubstr(":1:7: there is no setting 'hub.sub'"));
}

TEST_F(ConfigTest, WrongFormsAreNamedWithTheirPlace) {
  EXPECT_THAT(ErrorOf("listen: [1, 2]\n"), HasSubstr("llmd.yaml:1:9: 'listen' wants ADDRESS:PORT"));
  EXPECT_THAT(ErrorOf("jobs:\n  workers: many\n"), HasSubstr("llmd.yaml:2:12: 'jobs.workers'"));
  EXPECT_THAT(ErrorOf("hub: x\n"), HasSubstr("llmd.yaml:1:6: 'hub' wants settings below it"));
  EXPECT_THAT(ErrorOf("- a\n"), HasSubstr("llmd.yaml:1:1: "));
  EXPECT_THAT(ErrorOf("listen: 'a\n"), HasSubstr("llmd.yaml:"));
}

TEST_F(ConfigTest, ValuesOutOfRangeAreRefused) {
  for (const char* yaml : {"jobs: {workers: 0}",
                           "jobs: {workers: 65}",
                           "jobs: {workers: '2'}",
                           "listen: x:0",
                           "limits: {head_seconds: 0}",
                           "limits: {head_seconds: -1}",
                           "limits: {head_seconds: nan}",
                           "limits: {head_seconds: 1e9}",
                           "limits: {json_body_bytes: -5}",
                           "limits: {json_body_bytes: 10}",
                           "limits: {json_body_bytes: 99999999999 TiB}",
                           "memory: {limit_bytes: lots}",
                           "hub: {offline: maybe}",
                           "hub: {endpoint: ftp://x}",
                           "hub: {endpoint: 'http://'}",
                           "allowed_origins: https://x",
                           "allowed_origins: [x.org]",
                           "allowed_origins: ['https://x.org/path']",
                           "allowed_hosts: [[a]]",
                           "log_level: loud",
                           "python: {version: '2.7'}",
                           "hub: {token_file: ''}"}) {
    EXPECT_THAT(ErrorOf(yaml), HasSubstr("llmd.yaml:1:")) << yaml;
  }
}

TEST_F(ConfigTest, BadVariablesAndFlagsAreNamed) {
  environment_["LLMD_LISTEN"] = "nowhere";
  StatusOr<Config> config = Load();
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(Message(config.status()), HasSubstr("LLMD_LISTEN"));
  EXPECT_THAT(Message(config.status()), HasSubstr("'nowhere'"));
  environment_.clear();
  config = Load("", {.log_level = "loud"});
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(Message(config.status()), HasSubstr("--log-level"));
}

TEST_F(ConfigTest, ASecretInAnAddressIsNotRepeated) {
  EXPECT_THAT(ErrorOf("python: {index_url: 'user:hunter2@x'}\n"),
              ::testing::Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, AnAddressThatIsNotLoopbackIsRefused) {
  for (const char* address : {"0.0.0.0:0", "[::]:11500", "192.168.1.5:11500"}) {
    for (const Flags& flags : {Flags{.listen = address}, Flags{.grpc_listen = address}}) {
      const StatusOr<Config> config = Load("", flags);
      ASSERT_FALSE(config.ok()) << address;
      EXPECT_EQ(config.status().code(), StatusCode::kFailedPrecondition);
      EXPECT_EQ(GetErrorInfo(config.status()).code, "open_address");
      EXPECT_THAT(Message(config.status()), HasSubstr(address));
    }
  }
}

TEST_F(ConfigTest, AFileThatCannotBeReadIsAnError) {
  std::filesystem::create_directory(folder_ / "llmd.yaml");
  const StatusOr<Config> config = Load();
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(GetErrorInfo(config.status()).code, "invalid_config");
}

TEST_F(ConfigTest, QuietKeepsTheLogOffStandardError) {
  EXPECT_FALSE(Load("", {.quiet = true})->log_to_stderr);
}

}  // namespace
}  // namespace llmd::config
