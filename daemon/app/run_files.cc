#include "app/run_files.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"

namespace llmd::app {
namespace {

constexpr size_t kTokenBytes = 32;

bool IsToken(const std::string& text) {
  return text.size() == 2 * kTokenBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

StatusOr<std::string> LoadToken(const platform::HomePaths& home) {
  if (StatusOr<std::string> text = ReadFile(home.token_file(), 4096); text.ok()) {
    while (text->ends_with('\n')) text->pop_back();
    // A damaged token is replaced: an empty one must never come to mean "no token wanted".
    if (IsToken(*text)) return text;
  }
  const std::string token = RandomHex(kTokenBytes);
  LLMD_RETURN_IF_ERROR(WriteFileAtomically(home.token_file(), token + "\n", 0600));
  return token;
}

Status WriteAddress(const platform::HomePaths& home, const Address& address,
                    const std::filesystem::path& copy) {
  nlohmann::ordered_json json = {{"schema", 1},
                                 {"pid", ::getpid()},
                                 {"version", kVersion},
                                 {"http", address.http},
                                 {"grpc", address.grpc},
                                 {"grpc_tcp", nullptr},
                                 {"started_at", FormatTime(address.started_at)}};
  if (address.grpc_tcp) json["grpc_tcp"] = *address.grpc_tcp;
  const std::string text = json.dump(2) + "\n";
  LLMD_RETURN_IF_ERROR(WriteFileAtomically(home.address_file(), text, 0600));
  return copy.empty() ? OkStatus() : WriteFileAtomically(copy, text, 0600);
}

void RemoveAddress(const platform::HomePaths& home) {
  std::error_code error;
  std::filesystem::remove(home.address_file(), error);
}

}  // namespace llmd::app
