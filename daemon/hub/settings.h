// HubSettings: where the Hub is and how it is reached, from options, environment and token file.
// Plain data; reading it is the only I/O.
#pragma once

#include <filesystem>
#include <string>

#include "domain/caller.h"
#include "hub/http_transport.h"
#include "hub/hub.h"

namespace llmd::hub {

inline constexpr char kDefaultEndpoint[] = "https://huggingface.co";

struct HubSettings {
  std::string endpoint;  // without a slash at the end
  std::filesystem::path token_file;
  std::filesystem::path cache_folder;
  std::filesystem::path metadata_folder;
  bool offline = false;
  TransportOptions transport;
};

Environment ProcessEnvironment();
HubSettings ReadSettings(const HubOptions& options, const Environment& environment);

// Where one request goes and as whom. The daemon's own token goes to the daemon's own endpoint
// only: a caller who names another endpoint brings the token for it.
struct Access {
  std::string endpoint;
  std::string token;  // may be empty
};
Access ResolveAccess(const HubCredentials& credentials, const HubSettings& settings,
                     const Environment& environment);

}  // namespace llmd::hub
