#include "config/keys.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <optional>

namespace llmd::config {
namespace {

namespace fs = std::filesystem;
using Setter = std::function<bool(const YamlNode&, Config&)>;

template <typename T>
using Place = T& (*)(Config&);

bool IsWebAddress(std::string_view text) {
  const bool known = text.starts_with("https://") || text.starts_with("http://");
  return known && text.find_first_of(" \t\r\n") == std::string_view::npos &&
         text.size() > text.find("://") + 3;
}

bool IsOrigin(std::string_view text) {
  return IsWebAddress(text) && text.find('/', text.find("://") + 3) == std::string_view::npos;
}

bool IsHostName(std::string_view text) {
  return !text.empty() && text.find_first_of("/@ \t\r\n") == std::string_view::npos;
}

bool IsPythonVersion(std::string_view text) {
  return text.starts_with("3.") && text.size() > 2 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool IsAnything(std::string_view text) { return !text.empty(); }

// A ~ is the user's home; what is relative lies below LLMD_HOME.
fs::path ExpandPath(const std::string& text, const Config& config) {
  const char* home = std::getenv("HOME");
  if (home != nullptr && (text == "~" || text.starts_with("~/"))) return home + text.substr(1);
  return config.home.home / text;
}

// "1073741824", "16 GiB", "512MiB".
std::optional<int64_t> ParseBytes(const YamlNode& node) {
  if (const auto plain = node.AsInt()) return plain;
  if (!node.IsScalar()) return std::nullopt;
  constexpr std::pair<std::string_view, int> kUnits[] = {
      {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  for (const auto& [unit, shift] : kUnits) {
    if (!node.scalar.ends_with(unit)) continue;
    YamlNode number{.kind = YamlNode::Kind::kScalar,
                    .scalar = node.scalar.substr(0, node.scalar.size() - unit.size())};
    while (number.scalar.ends_with(' ')) number.scalar.pop_back();
    const auto value = number.AsDouble();
    const double bytes = value ? std::ldexp(*value, shift) : -1;
    if (!(bytes >= 0 && bytes < std::ldexp(1.0, 62))) return std::nullopt;
    return static_cast<int64_t>(bytes);
  }
  return std::nullopt;
}

Setter Text(Place<std::string> place, bool (*valid)(std::string_view) = IsAnything) {
  return [place, valid](const YamlNode& node, Config& config) {
    if (!node.IsScalar() || !valid(node.scalar)) return false;
    place(config) = node.scalar;
    return true;
  };
}

Setter Texts(Place<std::vector<std::string>> place, bool (*valid)(std::string_view)) {
  return [place, valid](const YamlNode& node, Config& config) {
    if (!node.IsSequence()) return false;
    std::vector<std::string> values;
    for (const YamlNode& item : node.items) {
      if (!item.IsScalar() || !valid(item.scalar)) return false;
      values.push_back(item.scalar);
    }
    place(config) = std::move(values);
    return true;
  };
}

Setter Path(Place<fs::path> place) {
  return [place](const YamlNode& node, Config& config) {
    if (!node.IsScalar() || node.scalar.empty()) return false;
    place(config) = ExpandPath(node.scalar, config);
    return true;
  };
}

// A name is looked up in PATH, all else is a path.
Setter Program(Place<std::string> place) {
  return [place](const YamlNode& node, Config& config) {
    if (!node.IsScalar() || node.scalar.empty()) return false;
    const bool is_name = node.scalar.find('/') == std::string::npos;
    place(config) = is_name ? node.scalar : ExpandPath(node.scalar, config).string();
    return true;
  };
}

template <typename T>  // bool or std::optional<bool>
Setter Switch(Place<T> place) {
  return [place](const YamlNode& node, Config& config) {
    const std::optional<bool> value = node.AsBool();
    if (value) place(config) = *value;
    return value.has_value();
  };
}

Setter Count(Place<int> place, int64_t least, int64_t most) {
  return [place, least, most](const YamlNode& node, Config& config) {
    const std::optional<int64_t> value = node.AsInt();
    if (!value || *value < least || *value > most) return false;
    place(config) = static_cast<int>(*value);
    return true;
  };
}

template <typename T>  // int64_t or std::optional<int64_t>
Setter Bytes(Place<T> place, int64_t least) {
  return [place, least](const YamlNode& node, Config& config) {
    const std::optional<int64_t> value = ParseBytes(node);
    if (!value || *value < least) return false;
    place(config) = *value;
    return true;
  };
}

Setter Seconds(Place<std::chrono::milliseconds> place) {
  return [place](const YamlNode& node, Config& config) {
    constexpr double kMost = 7 * 24 * 3600;
    const std::optional<double> value = node.AsDouble();
    if (!value || !(*value > 0 && *value <= kMost)) return false;
    place(config) = std::chrono::milliseconds(std::max(1L, std::lround(*value * 1000)));
    return true;
  };
}

template <typename T>  // ListenAddress or std::optional<ListenAddress>
Setter Address(Place<T> place) {
  return [place](const YamlNode& node, Config& config) {
    if (!node.IsScalar()) return false;
    const StatusOr<ListenAddress> address = ParseListenAddress(node.scalar);
    if (address.ok()) place(config) = *address;
    return address.ok();
  };
}

bool SetLogLevel(const YamlNode& node, Config& config) {
  constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"debug", LogLevel::kDebug},
                                                               {"info", LogLevel::kInfo},
                                                               {"warn", LogLevel::kWarn},
                                                               {"error", LogLevel::kError}};
  for (const auto& [name, level] : kLevels) {
    if (!node.IsScalar() || node.scalar != name) continue;
    config.log_level = level;
    return true;
  }
  return false;
}

#define LLMD_PLACE_(member) \
  [](Config & config) -> auto& { return config.member; }

std::vector<Key> ServerKeys() {
  constexpr char kAddress[] = "ADDRESS:PORT, such as 127.0.0.1:11500 or [::1]:0";
  constexpr char kSeconds[] = "a number of seconds, more than 0 and at most a week";
  constexpr char kSize[] = "a size: bytes, or such as 64 MiB; at least 1 KiB";
  return {
      {"listen", kAddress, "LLMD_LISTEN", {}, Address<ListenAddress>(LLMD_PLACE_(listen))},
      {"grpc_listen",
       kAddress,
       "LLMD_GRPC_LISTEN",
       {},
       Address<std::optional<ListenAddress>>(LLMD_PLACE_(grpc_listen))},
      {"log_level", "debug, info, warn or error", "LLMD_LOG_LEVEL", {}, SetLogLevel},
      {"allowed_hosts",
       "a list of host names",
       "",
       {},
       Texts(LLMD_PLACE_(allowed_hosts), IsHostName)},
      {"allowed_origins",
       "a list of origins such as https://app.example.org",
       "",
       {},
       Texts(LLMD_PLACE_(allowed_origins), IsOrigin)},
      {"limits.head_bytes", kSize, "", {}, Bytes<int64_t>(LLMD_PLACE_(limits.head_bytes), 1024)},
      {"limits.json_body_bytes",
       kSize,
       "",
       {},
       Bytes<int64_t>(LLMD_PLACE_(limits.json_body_bytes), 1024)},
      {"limits.multipart_body_bytes",
       kSize,
       "",
       {},
       Bytes<int64_t>(LLMD_PLACE_(limits.multipart_body_bytes), 1024)},
      {"limits.connections",
       "a whole number from 1 to 1000000",
       "",
       {},
       Count(LLMD_PLACE_(limits.connections), 1, 1'000'000)},
      {"limits.idle_seconds", kSeconds, "", {}, Seconds(LLMD_PLACE_(limits.idle))},
      {"limits.head_seconds", kSeconds, "", {}, Seconds(LLMD_PLACE_(limits.head))},
      {"limits.body_seconds", kSeconds, "", {}, Seconds(LLMD_PLACE_(limits.body))},
      {"limits.write_seconds", kSeconds, "", {}, Seconds(LLMD_PLACE_(limits.write))},
      {"limits.load_seconds", kSeconds, "", {}, Seconds(LLMD_PLACE_(limits.load))},
      {"servers.stop_grace_seconds", kSeconds, "", {}, Seconds(LLMD_PLACE_(servers.stop_grace))},
      {"jobs.workers",
       "a whole number from 1 to 64",
       "",
       {},
       Count(LLMD_PLACE_(jobs.workers), 1, 64)},
      {"memory.limit_bytes",
       "a size: bytes, or such as 16 GiB",
       "",
       {},
       Bytes<std::optional<int64_t>>(LLMD_PLACE_(memory.limit_bytes), 1)},
  };
}

std::vector<Key> SourceKeys() {
  constexpr char kWeb[] = "an address that starts with https:// or http://";
  return {
      {"hub.endpoint", kWeb, "", {"HF_ENDPOINT"}, Text(LLMD_PLACE_(hub.endpoint), IsWebAddress)},
      {"hub.token_file", "a path", "", {"HF_TOKEN_PATH"}, Path(LLMD_PLACE_(hub.token_file))},
      {"hub.cache",
       "a path",
       "",
       {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"},
       Path(LLMD_PLACE_(hub.cache))},
      {"hub.offline",
       "true or false",
       "",
       {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"},
       Switch<std::optional<bool>>(LLMD_PLACE_(hub.offline))},
      {"python.uv", "the path of a uv program", "LLMD_UV", {}, Program(LLMD_PLACE_(python.uv))},
      {"python.version",
       "a version of Python such as 3.12",
       "",
       {},
       Text(LLMD_PLACE_(python.version), IsPythonVersion)},
      {"python.downloads",
       "true or false",
       "",
       {"UV_PYTHON_DOWNLOADS"},
       Switch<bool>(LLMD_PLACE_(python.downloads))},
      {"python.source_builds",
       "true or false",
       "",
       {},
       Switch<bool>(LLMD_PLACE_(python.source_builds))},
      {"python.index_url",
       kWeb,
       "",
       {"UV_DEFAULT_INDEX", "UV_INDEX_URL"},
       Text(LLMD_PLACE_(python.index_url), IsWebAddress)},
      {"python.extra_index_urls",
       "a list of addresses that start with https:// or http://",
       "",
       {"UV_INDEX", "UV_EXTRA_INDEX_URL"},
       Texts(LLMD_PLACE_(python.extra_index_urls), IsWebAddress)},
      {"python.torch_cpu_index",
       kWeb,
       "",
       {"UV_TORCH_BACKEND"},
       Text(LLMD_PLACE_(python.torch_cpu_index), IsWebAddress)},
  };
}

#undef LLMD_PLACE_

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

}  // namespace

const std::vector<Key>& Keys() {
  static const std::vector<Key>& keys = *[] {
    auto* all = new std::vector<Key>(ServerKeys());
    std::ranges::move(SourceKeys(), std::back_inserter(*all));
    return all;
  }();
  return keys;
}

const Key* FindKey(std::string_view name) {
  const auto at = std::ranges::find(Keys(), name, &Key::name);
  return at == Keys().end() ? nullptr : &*at;
}

std::string NearestKey(std::string_view section, std::string_view wrong) {
  const std::string prefix = section.empty() ? "" : std::string(section) + ".";
  std::string best;
  size_t best_distance = std::max<size_t>(2, wrong.size() / 3) + 1;
  const auto offer = [&](const std::string& answer, size_t distance) {
    if (distance < best_distance) {
      best = answer;
      best_distance = distance;
    }
  };
  if (wrong.size() > 64) return best;
  for (const Key& key : Keys()) {
    if (!key.name.starts_with(prefix)) continue;
    const std::string rest = key.name.substr(prefix.size());
    const std::string name = rest.substr(0, rest.find('.'));
    offer(prefix + name, EditDistance(wrong, name));
  }
  for (const Key& key : Keys()) {  // the right name in the wrong section
    const std::string leaf = key.name.substr(key.name.rfind('.') + 1);
    offer(key.name, EditDistance(wrong, leaf));
  }
  return best;
}

}  // namespace llmd::config
