#include "hub/hub_process.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>

extern char** environ;

namespace llmd::testing {
namespace {

size_t Collect(char* data, size_t size, size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

std::string Escape(const std::string& text) {
  char* escaped = curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size()));
  std::string result = escaped;
  curl_free(escaped);
  return result;
}

std::string Text(const nlohmann::json& object, const char* key) {
  const auto& value = object.at(key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace

HubProcess::HubProcess(const std::vector<std::string>& options) {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  std::vector<std::string> words = {"python3", LLMD_SOURCE_DIR "/tests/support/fixture_hub",
                                    root_.path().string(), "--port", "0"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  const int failed = ::posix_spawnp(&pid_, "python3", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  std::string line;
  char c = 0;
  while (failed == 0 && ::read(out[0], &c, 1) == 1 && c != '\n') line.push_back(c);
  ::close(out[0]);
  const auto said = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!said.is_object()) throw std::runtime_error("the fixture hub did not start: " + line);
  url_ = said.at("hub");
  cdn_url_ = said.at("cdn");
}

HubProcess::~HubProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

nlohmann::json HubProcess::Control(const std::string& method, const std::string& route,
                                   const std::string& body) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  std::string answer;
  curl_easy_setopt(easy.get(), CURLOPT_URL, (url_ + "/_fixture/" + route).c_str());
  curl_easy_setopt(easy.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  if (!cert_.empty()) curl_easy_setopt(easy.get(), CURLOPT_CAINFO, cert_.c_str());
  if (!body.empty()) curl_easy_setopt(easy.get(), CURLOPT_COPYPOSTFIELDS, body.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &Collect);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer);
  const CURLcode code = curl_easy_perform(easy.get());
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK || status != 200) {
    throw std::runtime_error("fixture hub, " + route + ": " + curl_easy_strerror(code) + answer);
  }
  return nlohmann::json::parse(answer);
}

void HubProcess::Reload() {
  Control("POST", "reload");
  SetFaults(nlohmann::json::array());
  ClearLog();
}

void HubProcess::WaitFor(const std::string& match, int64_t sent) {
  Control("GET", "wait?match=" + Escape(match) + "&sent=" + std::to_string(sent) + "&timeout=60");
}

void HubProcess::Release() {
  Control("POST", "release");
  Control("GET", "wait?idle=true&timeout=60");
}

std::vector<Exchange> HubProcess::Log(const std::string& match) {
  std::vector<Exchange> exchanges;
  const auto answer = Control("GET", "log?match=" + Escape(match));
  for (const auto& entry : answer.at("log")) {
    exchanges.push_back({.side = entry.at("side"),
                         .method = entry.at("method"),
                         .path = entry.at("path"),
                         .range = Text(entry, "range"),
                         .auth = Text(entry, "auth"),
                         .status = entry.at("status"),
                         .sent = entry.at("sent")});
  }
  return exchanges;
}

int64_t HubProcess::BytesSent(const std::string& match) {
  int64_t bytes = 0;
  for (const Exchange& exchange : Log(match)) bytes += exchange.sent;
  return bytes;
}

int HubProcess::Peak() { return Control("GET", "log").at("peak"); }

}  // namespace llmd::testing
