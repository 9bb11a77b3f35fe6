// Certificates and proxies.
#include <cstdlib>

#include "hub/hub_test.h"

namespace llmd::hub {
namespace {

using ::llmd::testing::FailsWith;
using ::llmd::testing::HubProcess;
using ::llmd::testing::IsOk;
using ::llmd::testing::RandomBytes;
using nlohmann::json;

// A hub whose certificate only its own file vouches for.
class TlsTest : public HubTest {
 protected:
  void SetUp() override {
    const std::string make = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout '{}' -out '{}' "
        "2>/dev/null",
        key_, cert_);
    if (std::system(make.c_str()) != 0) GTEST_SKIP() << "there is no openssl command";
    tls_ = std::make_unique<HubProcess>(std::vector<std::string>{"--cert", cert_, "--key", key_});
    tls_->Write("acme/tiny", "model.safetensors", weights_);
    ASSERT_EQ(tls_->url().rfind("https://", 0), 0u);
  }
  HubOptions Trusting(const std::string& variable) {
    HubOptions options = Options(tls_->url());
    options.environment = [this, variable](const char* name) {
      return name == variable ? cert_ : std::string();
    };
    return options;
  }

  const std::string cert_ = folder_ / "cert.pem";
  const std::string key_ = folder_ / "key.pem";
  const std::string weights_ = RandomBytes(200'000, 9);
  std::unique_ptr<HubProcess> tls_;
};

TEST_F(TlsTest, AnUnknownCertificateIsRefusedAtOnce) {
  const auto hub = MakeHub(Options(tls_->url()));
  EXPECT_THAT(Open(*hub, "acme/tiny"), FailsWith(StatusCode::kUnavailable, "tls_untrusted"));
  EXPECT_TRUE(waits().empty());
}

TEST_F(TlsTest, TheBundleOfTheEnvironmentIsTrusted) {
  tls_->TrustItself(cert_);
  tls_->Reload();
  for (const char* variable : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}) {
    const auto hub = MakeHub(Trusting(variable));
    const auto repository = Open(*hub, "acme/tiny");
    ASSERT_THAT(repository, IsOk()) << variable;
    EXPECT_EQ(*(*repository)->ReadRange("model.safetensors", 10, 50, {}), weights_.substr(10, 50));
  }
}

TEST_F(TlsTest, FilesThatLeaveEncryptionAreRefused) {
  tls_->TrustItself(cert_);
  tls_->Reload();
  tls_->SetFaults(json::array({{{"match", "resolve/"}, {"location", server().url() + "/x"}}}));
  const auto hub = MakeHub(Trusting("SSL_CERT_FILE"));
  const auto repository = *Open(*hub, "acme/tiny", {.token = kGoodToken});
  EXPECT_THAT(repository->ReadRange("model.safetensors", 0, 50, {}),
              FailsWith(StatusCode::kFailedPrecondition, "unsafe_redirect"));
  EXPECT_TRUE(server().Log().empty());
}

class ProxyTest : public HubTest {};

TEST_F(ProxyTest, ProxiesAreUsed) {
  Publish("acme/tiny", "weights");
  HubOptions options = Options("http://hub.invalid");
  options.environment = [](const char* name) {
    return std::string(name) == "HTTP_PROXY" ? server().url() : std::string();
  };
  // The fixture answers a proxy's request, which has the whole address, like any other.
  const auto hub = MakeHub(options);
  EXPECT_THAT(Open(*hub, "acme/tiny"), IsOk());
  EXPECT_EQ(server().Log().front().path, "http://hub.invalid/api/models/acme/tiny/revision/main");
}

}  // namespace
}  // namespace llmd::hub
