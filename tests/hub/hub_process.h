// HubProcess: the fixture hub (tests/support/fixture_hub) as a child process, over a private root.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "hub/random_bytes.h"
#include "support/temp_folder.h"

namespace llmd::testing {

// One request that the hub answered, as its log has it.
struct Exchange {
  std::string side;
  std::string method;
  std::string path;
  std::string range;
  std::string auth;
  int status = 0;
  int64_t sent = 0;
};

class HubProcess {
 public:
  explicit HubProcess(const std::vector<std::string>& options = {});
  ~HubProcess();
  HubProcess(const HubProcess&) = delete;
  HubProcess& operator=(const HubProcess&) = delete;

  const std::string& url() const { return url_; }
  const std::string& cdn_url() const { return cdn_url_; }

  // A file of a repository; Reload makes the hub see it.
  void Write(const std::string& repo_id, const std::string& path, std::string_view content) {
    root_.Write(repo_id + "/" + path, content);
  }
  void Remove(const std::string& repo_id) { std::filesystem::remove_all(root_ / repo_id); }
  // The certificate by which Control knows a hub that speaks TLS.
  void TrustItself(const std::string& cert) { cert_ = cert; }
  // The repository's repo.json.
  void Describe(const std::string& repo_id, const nlohmann::json& meta) {
    Write(repo_id, "repo.json", meta.dump());
  }
  // Sees the files, and forgets faults and log.
  void Reload();
  void SetFaults(const nlohmann::json& rules) { Control("PUT", "faults", rules.dump()); }
  // Blocks until the exchanges that match were given `sent` bytes in all.
  void WaitFor(const std::string& match, int64_t sent);
  // Lets held exchanges go on, and blocks until all are over.
  void Release();
  void ClearLog() { Control("DELETE", "log"); }
  std::vector<Exchange> Log(const std::string& match = "");
  // Bytes of files that were sent, by exchanges that match.
  int64_t BytesSent(const std::string& match);
  // The most exchanges that were under way at once.
  int Peak();

 private:
  nlohmann::json Control(const std::string& method, const std::string& route,
                         const std::string& body = "");

  TempFolder root_;
  pid_t pid_ = -1;
  std::string url_;
  std::string cdn_url_;
  std::string cert_;
};

}  // namespace llmd::testing
