// Where things lie: LLMD_HOME and what follows from it, and the program's data files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::platform {

// The folders of one home; all absolute. See the README for their meaning.
struct HomePaths {
  std::filesystem::path home;

  std::filesystem::path models() const { return home / "models"; }
  std::filesystem::path model(std::string_view folder) const { return models() / folder; }
  std::filesystem::path staging() const { return home / "models" / ".staging"; }
  std::filesystem::path cache() const { return home / "cache"; }
  std::filesystem::path rules() const { return home / "rules.d"; }
  std::filesystem::path logs() const { return home / "logs"; }
  std::filesystem::path run() const { return home / "run"; }
  std::filesystem::path servers() const { return run() / "servers"; }
  std::filesystem::path lock_file() const { return run() / "llmd.lock"; }
  std::filesystem::path address_file() const { return run() / "address.json"; }
  std::filesystem::path token_file() const { return run() / "token"; }
  std::filesystem::path registry() const { return home / "registry.db"; }
  std::filesystem::path config() const { return home / "llmd.yaml"; }
  // The control socket: run/llmd.sock, or below socket_dir() when that path is over 107 bytes.
  std::filesystem::path control_socket() const { return socket_dir() / "llmd.sock"; }
  // run/, or a 0700 folder named after the home's hash where sockets below run/ (servers included)
  // would be too long to bind.
  std::filesystem::path socket_dir() const;
};

// `flag` (may be empty), else $LLMD_HOME, else ~/LLM; made absolute.
StatusOr<HomePaths> ResolveHome(std::string_view flag);

// Creates the folders with their modes (run/ 0700).
Status CreateHome(const HomePaths& paths);

// $LLMD_DATA_DIR, else <program's folder>/../share/llmd. kFailedPrecondition when it is not there.
StatusOr<std::filesystem::path> FindDataDir();

// The running program's file.
std::filesystem::path ProgramPath();
// A program of ours: beside this one, else ../libexec/llmd.
StatusOr<std::filesystem::path> FindProgram(std::string_view name);

}  // namespace llmd::platform
