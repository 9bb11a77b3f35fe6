// Helpers for tests with real processes: scripts that stand in for model servers, and waiting for
// the end of processes that are nobody's child here.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "platform/exit_descriptor.h"
#include "support/temp_folder.h"

namespace llmd::testing {

inline constexpr int kPatienceMs = 60'000;  // only ever waited for when something is broken

// True when the descriptor becomes readable.
inline bool IsReadable(int fd, int timeout_ms = kPatienceMs) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, timeout_ms) == 1;
}

// Waits for the end of a process.
inline bool IsGone(int64_t pid) {
  const auto exit = platform::OpenExitDescriptor(static_cast<pid_t>(pid));
  if (!exit.ok()) return exit.status().code() == StatusCode::kNotFound;
  return IsReadable(exit->get());
}

inline int OpenDescriptors() {
  int open = 0;
  for (int fd = 0; fd < 1024; ++fd) open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return open;
}

// A model's folder with the given start.sh. One that is there already is replaced by rename: a
// shell that runs it reads on in the old one.
inline std::filesystem::path WriteModel(const TempFolder& home, std::string_view folder_name,
                                        std::string_view script,
                                        std::string_view interpreter = "/bin/sh") {
  const std::string name = std::string(folder_name) + "/start.sh";
  const std::filesystem::path fresh =
      home.Write(name + ".new", "#!" + std::string(interpreter) + "\n" + std::string(script));
  std::filesystem::permissions(fresh, std::filesystem::perms::owner_all);
  std::filesystem::rename(fresh, home / name);
  return fresh.parent_path();
}

// Lines of start.sh scripts.
inline constexpr char kSayReady[] = "echo '{\"event\":\"ready\",\"pid\":1}' >&3\n";
inline constexpr char kSleep[] = "exec sleep 1000\n";
// A server that is ready and runs until it is stopped.
inline const std::string kGoodServer = std::string(kSayReady) + kSleep;

}  // namespace llmd::testing
