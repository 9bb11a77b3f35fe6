#include "pyenv/uv_environment.h"

#include <sys/stat.h>

#include <optional>
#include <string_view>
#include <utility>

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;

std::string Get(const Variables& environment, const std::string& name) {
  const auto at = environment.find(name);
  return at == environment.end() ? std::string() : at->second;
}

// What a user sets to reach packages. Left out on purpose: variables that change which project,
// environment or interpreter uv works on.
bool IsForUv(std::string_view name) {
  constexpr std::string_view kNames[] = {"UV_DEFAULT_INDEX",
                                         "UV_INDEX",
                                         "UV_INDEX_URL",
                                         "UV_EXTRA_INDEX_URL",
                                         "UV_FIND_LINKS",
                                         "UV_INDEX_STRATEGY",
                                         "UV_KEYRING_PROVIDER",
                                         "UV_HTTP_TIMEOUT",
                                         "UV_HTTP_RETRIES",
                                         "UV_HTTP_CONNECT_TIMEOUT",
                                         "UV_NATIVE_TLS",
                                         "UV_SYSTEM_CERTS",
                                         "UV_INSECURE_HOST",
                                         "UV_OFFLINE",
                                         "UV_EXCLUDE_NEWER",
                                         "UV_TORCH_BACKEND",
                                         "UV_CONSTRAINT",
                                         "UV_OVERRIDE",
                                         "UV_CONFIG_FILE",
                                         "UV_NO_CONFIG",
                                         "UV_LINK_MODE",
                                         "UV_CONCURRENT_DOWNLOADS",
                                         "UV_CONCURRENT_INSTALLS",
                                         "UV_PYTHON_INSTALL_DIR",
                                         "UV_PYTHON_INSTALL_MIRROR",
                                         "UV_PYTHON_PREFERENCE",
                                         "UV_CREDENTIALS_DIR",
                                         "NETRC",
                                         "SSL_CLIENT_CERT",
                                         "XDG_CACHE_HOME",
                                         "XDG_CONFIG_HOME",
                                         "XDG_CONFIG_DIRS",
                                         "XDG_DATA_HOME"};
  for (const std::string_view known : kNames) {
    if (name == known) return true;
  }
  return name.starts_with("UV_INDEX_") &&
         (name.ends_with("_USERNAME") || name.ends_with("_PASSWORD"));
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// pip's variables count where nothing was said to uv: many have only those.
void TakePipsIndex(const Variables& from, Variables& to) {
  const bool has_default = to.contains("UV_DEFAULT_INDEX") || to.contains("UV_INDEX_URL");
  const bool has_extra = to.contains("UV_INDEX") || to.contains("UV_EXTRA_INDEX_URL");
  if (const std::string url = Get(from, "PIP_INDEX_URL"); !has_default && !url.empty()) {
    to["UV_DEFAULT_INDEX"] = url;
  }
  if (const std::string urls = Get(from, "PIP_EXTRA_INDEX_URL"); !has_extra && !urls.empty()) {
    to["UV_INDEX"] = urls;
  }
}

// The file system of `path`, or of the nearest folder above it that exists.
std::optional<dev_t> FileSystemOf(fs::path path) {
  struct stat info {};
  while (::stat(path.c_str(), &info) != 0) {
    if (!path.has_parent_path() || path.parent_path() == path) return std::nullopt;
    path = path.parent_path();
  }
  return info.st_dev;
}

}  // namespace

fs::path UvCacheDir(const Variables& environment, const fs::path& own, const fs::path& folder) {
  if (const std::string chosen = Get(environment, "UV_CACHE_DIR"); !chosen.empty()) return chosen;
  fs::path usual;
  if (const std::string cache = Get(environment, "XDG_CACHE_HOME"); !cache.empty()) {
    usual = fs::path(cache) / "uv";
  } else if (const std::string home = Get(environment, "HOME"); !home.empty()) {
    usual = fs::path(home) / ".cache" / "uv";
  }
  if (!usual.is_absolute()) return own / "uv";
  const std::optional<dev_t> there = FileSystemOf(usual);
  return there && there == FileSystemOf(folder) ? usual : own / "uv";
}

Variables UvEnvironment(const EnvBuilderOptions& options, Variables base, const fs::path& folder) {
  Variables result = std::move(base);
  for (const auto& [name, value] : options.environment) {
    if (IsForUv(name) && !value.empty()) result[name] = value;
  }
  TakePipsIndex(options.environment, result);
  if (!options.index_url.empty()) result["UV_DEFAULT_INDEX"] = options.index_url;
  if (!options.extra_index_urls.empty()) result["UV_INDEX"] = Join(options.extra_index_urls);
  // The machine's own authorities count, as they do for the Hub.
  if (!result.contains("UV_SYSTEM_CERTS") && !result.contains("UV_NATIVE_TLS")) {
    result["UV_SYSTEM_CERTS"] = "1";
    result["UV_NATIVE_TLS"] = "1";  // its name in older versions
  }
  result["UV_CACHE_DIR"] = UvCacheDir(options.environment, options.cache_dir, folder);
  result["UV_PYTHON_DOWNLOADS"] = options.python_downloads ? "manual" : "never";
  result["UV_NO_PROGRESS"] = "1";
  result["NO_COLOR"] = "1";
  return result;
}

void PreferCpuTorch(const EnvBuilderOptions& options, Variables& environment) {
  if (options.torch_cpu_index.empty()) {
    environment["UV_TORCH_BACKEND"] = "cpu";
    return;
  }
  std::string& indexes = environment["UV_INDEX"];
  indexes = indexes.empty() ? options.torch_cpu_index : options.torch_cpu_index + " " + indexes;
  // Such an index has other packages too, mostly older ones: the newest of all indexes counts, and
  // 2.1+cpu is newer than 2.1.
  environment.try_emplace("UV_INDEX_STRATEGY", "unsafe-best-match");
}

}  // namespace llmd::pyenv
