// MakeHub: the Hub that the daemon uses. An absolute path opens a local folder; a repository id
// opens the Hub over HTTP, or, offline, what earlier checks and the Hugging Face cache hold.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hub/repository.h"
#include "hub/retry.h"

namespace llmd::hub {

// An environment variable's value; empty when it is not set.
using Environment = std::function<std::string(const char* name)>;

struct HubOptions {
  std::string endpoint;                // empty: HF_ENDPOINT, else https://huggingface.co
  std::filesystem::path token_file;    // empty: HF_TOKEN_PATH, else HF_HOME/token
  std::filesystem::path cache_folder;  // empty: HF_HUB_CACHE, else HF_HOME/hub
  std::optional<bool> offline;         // empty: HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE
  std::string user_agent = "llmd";
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds stall_timeout{30};  // no byte for so long: the connection is given up
  std::filesystem::path metadata_folder;   // what checks read is kept here; empty: nowhere
  // Somebody waits for the answer: a server that wants half a minute is given up.
  RetryPolicy metadata_retry{.attempts = 3, .longest_asked = std::chrono::seconds(30)};
  RetryPolicy download_retry{.attempts = 6};  // counted anew after each byte of progress
  Environment environment;                    // empty: the process's own
};

std::unique_ptr<Hub> MakeHub(HubOptions options);

}  // namespace llmd::hub
