#include "hub/settings.h"

#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "base/file.h"
#include "base/logging.h"
#include "domain/names.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;

std::string Strip(std::string text) {
  constexpr char kSpace[] = " \t\r\n";
  text.erase(0, std::min(text.find_first_not_of(kSpace), text.size()));
  text.erase(text.find_last_not_of(kSpace) + 1);
  return text;
}

std::string First(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = Strip(environment(name)); !value.empty()) return value;
  }
  return {};
}

bool IsOn(const Environment& environment, const char* name) {
  const std::string value = ToLower(Strip(environment(name)));
  return value == "1" || value == "on" || value == "yes" || value == "true";
}

std::string WithoutSlash(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

fs::path ExpandHome(const std::string& path, const Environment& environment) {
  if (path == "~" || path.starts_with("~/")) return environment("HOME") + path.substr(1);
  return path;
}

fs::path HuggingFaceHome(const Environment& environment) {
  if (const std::string home = First(environment, {"HF_HOME"}); !home.empty()) {
    return ExpandHome(home, environment);
  }
  const std::string cache = First(environment, {"XDG_CACHE_HOME"});
  const fs::path base =
      cache.empty() ? fs::path(environment("HOME")) / ".cache" : ExpandHome(cache, environment);
  return base / "huggingface";
}

fs::path Or(const fs::path& chosen, const std::string& from_environment, const fs::path& usual,
            const Environment& environment) {
  if (!chosen.empty()) return chosen;
  return from_environment.empty() ? usual : ExpandHome(from_environment, environment);
}

std::string ReadToken(const fs::path& file) {
  constexpr size_t kMaxTokenBytes = 64u << 10;
  const StatusOr<std::string> text = ReadFile(file, kMaxTokenBytes);
  if (text.ok()) return Strip(*text);
  if (text.status().code() != StatusCode::kNotFound) {
    Log("hub").Warn("token file not read", {{"reason", Message(text.status())}});
  }
  return {};
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

HubSettings ReadSettings(const HubOptions& options, const Environment& environment) {
  HubSettings settings;
  settings.endpoint =
      options.endpoint.empty() ? First(environment, {"HF_ENDPOINT"}) : options.endpoint;
  if (settings.endpoint.empty()) settings.endpoint = kDefaultEndpoint;
  settings.endpoint = WithoutSlash(settings.endpoint);

  const fs::path home = HuggingFaceHome(environment);
  settings.token_file =
      Or(options.token_file, First(environment, {"HF_TOKEN_PATH"}), home / "token", environment);
  settings.cache_folder =
      Or(options.cache_folder, First(environment, {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}),
         home / "hub", environment);
  settings.metadata_folder = options.metadata_folder;
  settings.offline = options.offline.value_or(IsOn(environment, "HF_HUB_OFFLINE") ||
                                              IsOn(environment, "TRANSFORMERS_OFFLINE"));
  const std::string any_proxy = First(environment, {"all_proxy", "ALL_PROXY"});
  const auto proxy = [&](std::initializer_list<const char*> names) {
    const std::string own = First(environment, names);
    return own.empty() ? any_proxy : own;
  };
  settings.transport = {
      .connect_timeout = options.connect_timeout,
      .stall_timeout = options.stall_timeout,
      .user_agent = options.user_agent,
      .ca_file = First(environment, {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}),
      .ca_folder = First(environment, {"SSL_CERT_DIR"}),
      .http_proxy = proxy({"http_proxy", "HTTP_PROXY"}),
      .https_proxy = proxy({"https_proxy", "HTTPS_PROXY"}),
      .no_proxy = First(environment, {"no_proxy", "NO_PROXY"}),
  };
  return settings;
}

Access ResolveAccess(const HubCredentials& credentials, const HubSettings& settings,
                     const Environment& environment) {
  const std::string asked = WithoutSlash(Strip(credentials.endpoint));
  Access access{.endpoint = asked.empty() ? settings.endpoint : asked,
                .token = Strip(credentials.token)};
  if (!access.token.empty() || access.endpoint != settings.endpoint) return access;
  access.token = First(environment, {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"});
  if (access.token.empty() && !IsOn(environment, "HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
    access.token = ReadToken(settings.token_file);
  }
  return access;
}

}  // namespace llmd::hub
