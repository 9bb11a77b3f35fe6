// RangeReader: bytes of one repository's files at one commit. Always asks by Range and identity
// encoding, believes only an answer that is exactly the range of a file of the listed size, and
// keeps a file's signed address in memory for its other ranges. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "hub/hub_client.h"

namespace llmd::hub {

struct RangeRequest {
  std::string path;
  int64_t offset = 0;
  int64_t length = 0;      // fewer bytes come at the file's end
  int64_t file_size = -1;  // as listed; -1: not known
  bool fresh_connection = false;
  const RetryPolicy* patience = nullptr;  // as in HubClient::Request
};

struct RangeOutcome {
  Status status;
  std::optional<Duration> asked;  // how long the server wants us to wait before the next try
};

class RangeReader {
 public:
  RangeReader(HubClient& client, std::string repo_id, std::string commit)
      : client_(client), repo_id_(std::move(repo_id)), commit_(std::move(commit)) {}

  // One try. The bytes go to `sink` in order; some may have gone there when it fails. A server that
  // ignores Range is accepted for a file read from its begin. kDataLoss (code "size_mismatch") when
  // the file has another size than listed; kUnavailable for what another try may mend.
  RangeOutcome ReadOnce(const RangeRequest& request,
                        const std::function<Status(std::string_view)>& sink,
                        const CancelToken& cancel);

  // A small range, with retries.
  StatusOr<std::string> Read(const RangeRequest& request, const CancelToken& cancel);

 private:
  class RangeAnswer;

  RangeOutcome Exchange(const Url& url, const RangeRequest& request,
                        const std::function<Status(std::string_view)>& sink,
                        const CancelToken& cancel, int* http_status);
  Status Refusal(const Answer& answer, const RangeRequest& request) const;
  Url ResolveUrl(const std::string& path) const;
  std::optional<Url> SignedUrl(const std::string& path);
  void Remember(const std::string& path, const Url& url);
  void Forget(const std::string& path);

  HubClient& client_;
  const std::string repo_id_;
  const std::string commit_;
  Mutex mutex_;
  std::map<std::string, Url> signed_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::hub
