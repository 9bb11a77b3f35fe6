// HubTest: a fixture hub shared by the tests of a binary, and clients of it that do not really
// wait.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "hub/hub.h"
#include "hub/hub_process.h"
#include "hub/status_matchers.h"
#include "support/temp_folder.h"

namespace llmd::hub {

inline constexpr char kGoodToken[] = "hf_good";
inline constexpr char kOtherToken[] = "hf_other";  // valid, but may not read the gated ones

class HubTest : public ::testing::Test {
 protected:
  using Hub_ = llmd::testing::HubProcess;

  HubTest() { server().Reload(); }

  // Started with the first test that wants it.
  static Hub_& server() {
    static Hub_ hub({"--resolve-cache", "--tokens", std::string(kGoodToken) + "," + kOtherToken});
    return hub;
  }

  // Options of a hub that waits for nothing and remembers how long it would have.
  HubOptions Options(const std::string& endpoint = server().url()) {
    HubOptions options{.endpoint = endpoint,
                       .token_file = folder_ / "token",
                       .cache_folder = folder_ / "hf-cache",
                       .offline = false,
                       .stall_timeout = std::chrono::seconds(1)};
    options.environment = [](const char*) { return std::string(); };
    const auto wait = [this](Duration duration, const CancelToken& cancel) {
      MutexLock lock(mutex_);
      waits_.push_back(duration);
      return cancel.IsCancelled();
    };
    options.metadata_retry.wait = wait;
    options.download_retry.wait = wait;
    return options;
  }
  std::vector<Duration> waits() {
    MutexLock lock(mutex_);
    return waits_;
  }

  // The hub's own files of a small repository with one large file.
  void Publish(const std::string& repo_id, const std::string& weights,
               const nlohmann::json& meta = nlohmann::json::object()) {
    server().Remove(repo_id);  // another test's
    server().Describe(repo_id, meta);
    server().Write(repo_id, "config.json", R"({"model_type": "llama"})");
    server().Write(repo_id, "model.safetensors", weights);
    server().Reload();
  }

  static StatusOr<std::unique_ptr<Repository>> Open(Hub& hub, const std::string& repo_id,
                                                    const HubCredentials& credentials = {}) {
    return hub.Open({.repo_id = repo_id, .credentials = credentials}, {});
  }

  llmd::testing::TempFolder folder_;

 private:
  Mutex mutex_;
  std::vector<Duration> waits_;
};

}  // namespace llmd::hub
