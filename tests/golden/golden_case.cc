#include "golden/golden_case.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "domain/json_path.h"
#include "golden/weight_heads.h"

namespace llmd::testing {
namespace {

using nlohmann::json;

// A generated file is made at most this long; its listed size stays.
constexpr size_t kGeneratedLimit = 16u << 20;

std::string FromBase64(const std::string& text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == kAlphabet.npos) continue;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>((bits >> count) & 0xFF));
  }
  return bytes;
}

std::string Generate(const json& how) {
  const std::string prefix = how.value("prefix", "");
  const std::string suffix = how.value("suffix", "");
  const std::string fill = how.value("fill", " ");
  const size_t total = std::min(how.at("bytes").get<size_t>(), kGeneratedLimit);
  std::string text = prefix;
  while (text.size() + suffix.size() + fill.size() <= total) text += fill;
  return text + suffix;
}

std::string ContentOf(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("$base64")) return FromBase64(value.at("$base64"));
  if (value.is_object() && value.contains("$generate")) return Generate(value.at("$generate"));
  return value.dump(2);
}

std::string HeadOf(const json& golden, const std::string& path, int64_t size) {
  const json* info = nullptr;
  if (golden.contains("headers") && golden.at("headers").contains(path)) {
    info = &golden.at("headers").at(path);
  }
  if (path.ends_with(".gguf")) return info == nullptr ? "" : GgufHead(*info);
  if (!path.ends_with(".safetensors")) return "";
  const json& contents = golden.at("contents");
  const json* config = contents.contains("config.json") ? &contents.at("config.json") : nullptr;
  std::string dtype = JsonText(config, "torch_dtype");
  if (dtype.empty()) dtype = JsonText(config, "dtype");
  return SafetensorsHead(info == nullptr ? json::object() : *info, size, dtype);
}

void AddFile(const json& golden, const std::string& path, int64_t size,
             FakeRepository& repository) {
  const json& contents = golden.at("contents");
  if (contents.contains(path) && !contents.at(path).is_null()) {
    const std::string content = ContentOf(contents.at(path));
    const auto length = static_cast<int64_t>(content.size());
    repository.AddListed({.path = path, .size = content.size() < kGeneratedLimit ? length : size},
                         content);
    return;
  }
  const std::string head = HeadOf(golden, path, size);
  const bool fits = static_cast<int64_t>(head.size()) < size;
  repository.AddListed({.path = path, .size = size}, fits ? head : "");
}

// As the Hub would describe it.
RepositoryInfo InfoOf(const GoldenCase& golden) {
  const json& api = golden.json.at("api");
  json info = {{"id", golden.repo_id}, {"sha", std::string(40, 'a')}, {"tags", json::array()}};
  for (const char* key : {"pipeline_tag", "library_name", "tags", "gated"}) {
    if (api.contains(key)) info[key] = api.at(key);
  }
  if (api.contains("license") && api.at("license").is_string()) {
    info["cardData"] = {{"license", api.at("license")}};
    info["tags"].push_back("license:" + api.at("license").get<std::string>());
  }
  const StatusOr<RepositoryInfo> parsed = hub::ParseModelInfo(info, golden.repo_id);
  if (!parsed.ok()) throw std::runtime_error(golden.repo_id + ": " + Message(parsed.status()));
  return *parsed;
}

}  // namespace

std::vector<GoldenCase> LoadGoldenCases(const std::filesystem::path& folder) {
  std::vector<GoldenCase> cases;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    GoldenCase golden{.json = json::parse(file)};
    golden.repo_id = golden.json.at("repo_id");
    golden.group = golden.json.at("group");
    cases.push_back(std::move(golden));
  }
  std::sort(cases.begin(), cases.end(),
            [](const auto& a, const auto& b) { return a.repo_id < b.repo_id; });
  return cases;
}

std::unique_ptr<FakeRepository> MakeRepository(const GoldenCase& golden) {
  auto repository = std::make_unique<FakeRepository>(InfoOf(golden));
  for (const json& file : golden.json.at("files")) {
    AddFile(golden.json, file.at("path"), file.at("size"), *repository);
  }
  if (golden.json.contains("files_generate")) {
    const json& many = golden.json.at("files_generate");
    const std::string pattern = many.at("pattern");
    for (int n = 0; n < many.at("count").get<int>(); ++n) {
      char path[256];
      std::snprintf(path, sizeof path, pattern.c_str(), n);
      AddFile(golden.json, path, many.at("size"), *repository);
    }
  }
  return repository;
}

}  // namespace llmd::testing
