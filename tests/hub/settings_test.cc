#include "hub/settings.h"

#include <map>

#include "hub/status_matchers.h"
#include "support/temp_folder.h"

namespace llmd::hub {
namespace {

Environment Variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto at = values.find(name);
    return at == values.end() ? std::string() : at->second;
  };
}

TEST(ReadSettings, UsualPlaces) {
  const auto settings = ReadSettings({}, Variables({{"HOME", "/home/u"}}));
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.token_file, "/home/u/.cache/huggingface/token");
  EXPECT_EQ(settings.cache_folder, "/home/u/.cache/huggingface/hub");
  EXPECT_FALSE(settings.offline);
}

TEST(ReadSettings, EnvironmentNamesOtherPlaces) {
  const auto settings = ReadSettings({}, Variables({{"HOME", "/home/u"},
                                                    {"HF_ENDPOINT", " http://mirror:8080/// \n"},
                                                    {"HF_HOME", "~/hf"},
                                                    {"HF_HUB_CACHE", "/cache"},
                                                    {"TRANSFORMERS_OFFLINE", "Yes"}}));
  EXPECT_EQ(settings.endpoint, "http://mirror:8080");
  EXPECT_EQ(settings.token_file, "/home/u/hf/token");
  EXPECT_EQ(settings.cache_folder, "/cache");
  EXPECT_TRUE(settings.offline);
}

TEST(ReadSettings, OptionsGoFirst) {
  const auto settings =
      ReadSettings({.endpoint = "http://own/", .offline = false},
                   Variables({{"HF_ENDPOINT", "http://mirror"}, {"HF_HUB_OFFLINE", "1"}}));
  EXPECT_EQ(settings.endpoint, "http://own");
  EXPECT_FALSE(settings.offline);
}

TEST(ReadSettings, ProxiesAndCertificatesInEitherCase) {
  const auto transport = ReadSettings({}, Variables({{"HTTP_PROXY", "http://p:1"},
                                                     {"all_proxy", "http://p:2"},
                                                     {"NO_PROXY", "localhost"},
                                                     {"CURL_CA_BUNDLE", "/ca.pem"}}))
                             .transport;
  EXPECT_EQ(transport.http_proxy, "http://p:1");
  EXPECT_EQ(transport.https_proxy, "http://p:2");
  EXPECT_EQ(transport.no_proxy, "localhost");
  EXPECT_EQ(transport.ca_file, "/ca.pem");
  EXPECT_EQ(ReadSettings({}, Variables({{"SSL_CERT_FILE", "/a"}, {"REQUESTS_CA_BUNDLE", "/b"}}))
                .transport.ca_file,
            "/a");
}

class AccessTest : public ::testing::Test {
 protected:
  Access Resolve(const HubCredentials& credentials, std::map<std::string, std::string> values) {
    values["HF_TOKEN_PATH"] = (folder_ / "token").string();
    const Environment environment = Variables(std::move(values));
    return ResolveAccess(credentials, ReadSettings({}, environment), environment);
  }
  llmd::testing::TempFolder folder_;
};

TEST_F(AccessTest, CallersOwnTokenThenEnvironmentThenFile) {
  folder_.Write("token", "from-file\n");
  EXPECT_EQ(Resolve({}, {}).token, "from-file");
  EXPECT_EQ(Resolve({}, {{"HUGGING_FACE_HUB_TOKEN", "old-name"}}).token, "old-name");
  EXPECT_EQ(Resolve({}, {{"HF_TOKEN", "variable\n"}}).token, "variable");
  EXPECT_EQ(Resolve({.token = "own"}, {{"HF_TOKEN", "variable"}}).token, "own");
  EXPECT_EQ(Resolve({}, {{"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}).token, "");
}

TEST_F(AccessTest, TheDaemonsTokenNeverGoesToACallersEndpoint) {
  folder_.Write("token", "secret");
  const Access access =
      Resolve({.endpoint = "https://elsewhere.example"}, {{"HF_TOKEN", "secret-too"}});
  EXPECT_EQ(access.endpoint, "https://elsewhere.example");
  EXPECT_EQ(access.token, "");
  EXPECT_EQ(Resolve({.token = "own", .endpoint = "https://elsewhere.example"}, {}).token, "own");
  EXPECT_EQ(Resolve({.endpoint = "https://huggingface.co/"}, {}).token, "secret");
}

}  // namespace
}  // namespace llmd::hub
