// Config: every setting of llmd, typed and checked. Flags win over the environment, that over
// llmd.yaml, that over the defaults below. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/logging.h"
#include "base/status.h"
#include "config/flags.h"
#include "config/listen_address.h"
#include "platform/paths.h"

namespace llmd::config {

// Empty members mean: what the Hub's usual environment variables say, else its usual places.
struct HubConfig {
  std::string endpoint;
  std::filesystem::path token_file;
  std::filesystem::path cache;
  std::optional<bool> offline;
};

// How environments are built. Empty members leave the choice to the builder, or to uv.
struct PythonConfig {
  std::string uv;                // path of the program
  std::string version = "3.12";  // wanted; a system Python >= 3.10 is taken as well
  bool downloads = false;        // may uv download a Python
  bool source_builds = false;    // may packages without a wheel be built (runs their code)
  std::string index_url;
  std::vector<std::string> extra_index_urls;
  std::string torch_cpu_index;
};

// What a client of the HTTP port may send and how long it may take.
struct LimitsConfig {
  int64_t head_bytes = 64 << 10;
  int64_t json_body_bytes = 32 << 20;
  int64_t multipart_body_bytes = 512 << 20;
  int connections = 4096;
  std::chrono::milliseconds idle{75'000};     // between two requests of a connection
  std::chrono::milliseconds head{10'000};     // until a request's head is there
  std::chrono::milliseconds body{30'000};     // for a body, beside a second for each 100 KB
  std::chrono::milliseconds write{60'000};    // without progress of a write
  std::chrono::milliseconds load{1'800'000};  // for a model to be ready
};

struct JobsConfig {
  int workers = 2;
};

struct ServersConfig {
  std::chrono::milliseconds stop_grace{10'000};  // between SIGTERM and SIGKILL
};

struct MemoryConfig {
  std::optional<int64_t> limit_bytes;  // for all model servers; empty: what the machine has
};

struct Config {
  platform::HomePaths home;
  ListenAddress listen{.host = "127.0.0.1", .port = 11500};
  std::optional<ListenAddress> grpc_listen;  // beside the Unix socket
  LogLevel log_level = LogLevel::kInfo;
  bool log_to_stderr = true;
  std::vector<std::string> allowed_hosts;    // Host headers taken besides our own
  std::vector<std::string> allowed_origins;  // "https://app.example.org"
  HubConfig hub;
  PythonConfig python;
  LimitsConfig limits;
  JobsConfig jobs;
  ServersConfig servers;
  MemoryConfig memory;
};

// An environment variable's value; empty when it is not set.
using Environment = std::function<std::string(const char* name)>;
Environment ProcessEnvironment();

// Reads llmd.yaml of `home` (which need not exist) and puts everything together. kInvalidArgument,
// code "invalid_config", with "<file>:<line>:<column>", the variable's or the flag's name; code
// "open_address" (kFailedPrecondition) when an address is not on loopback.
StatusOr<Config> LoadConfig(const platform::HomePaths& home, const Flags& flags,
                            const Environment& environment);

}  // namespace llmd::config
