// Runs the real llmd-shim over scripts that stand in for model servers.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "base/file.h"
#include "base/hash.h"
#include "platform/line_connection.h"
#include "platform/process_launcher.h"
#include "platform/process_table.h"
#include "platform/shim_protocol.h"
#include "platform/unix_socket.h"
#include "support/processes.h"
#include "support/temp_folder.h"

namespace llmd::testing {

// A client of the shim that waits.
class ShimClient {
 public:
  explicit ShimClient(FileDescriptor socket)
      : connection_(std::move(socket), platform::kMaxShimMessage, 1 << 20) {}

  bool Send(const platform::ShimRequest& request) {
    return connection_.Send(platform::ToLine(request));
  }
  bool SendRaw(std::string_view line) { return connection_.Send(line); }

  // The next message; nullopt when the shim has hung up (or says nothing for a minute).
  std::optional<platform::ShimMessage> Next() {
    while (messages_.empty()) {
      if (hung_up_ || !IsReadable(connection_.fd())) return std::nullopt;
      hung_up_ = !connection_.Receive([this](std::string_view line) {
        auto message = platform::ParseShimMessage(line);
        EXPECT_TRUE(message.ok()) << line;
        if (message.ok()) messages_.push_back(std::move(*message));
      });
    }
    platform::ShimMessage message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }

  // The next message of this kind; those before it are dropped.
  template <typename T>
  std::optional<T> NextOf() {
    while (std::optional<platform::ShimMessage> message = Next()) {
      if (T* wanted = std::get_if<T>(&*message)) return std::move(*wanted);
    }
    return std::nullopt;
  }

 private:
  platform::LineConnection connection_;
  std::deque<platform::ShimMessage> messages_;
  bool hung_up_ = false;
};

class ShimTest : public ::testing::Test {
 protected:
  void SetUp() override {
    files_.folder = home_ / "run";
    std::filesystem::create_directory(files_.folder);
    spec_ = {.model = "org/name",
             .folder_name = "org_name",
             .engine = "none",
             .bind = "inherit",
             .environment = {{"PATH", "/usr/bin:/bin"}},
             .log = home_ / "logs/server.log",
             .shim_socket = platform::ShimSocketIn(files_.folder),
             .api_socket = platform::ApiSocketIn(files_.folder),
             .token = "the-token"};
  }

  void TearDown() override {
    if (!shim_) return;
    shim_->Signal(SIGKILL);
    (void)shim_->Wait(CancelToken());
  }

  // Starts the shim over this start.sh; client_ is attached from the start.
  void StartShim(std::string_view script, std::string_view interpreter = "/bin/sh") {
    spec_.folder = WriteModel(home_, "model", script, interpreter);
    spec_.program = spec_.folder / "start.sh";
    WriteSpec();
    Launch();
  }

  void WriteSpec() {
    ASSERT_TRUE(WriteFileAtomically(files_.spec(), platform::ToJson(spec_)).ok());
  }

  platform::ProcessSpec ShimProcess() const {
    return {.program = std::string(LLMD_BINARY_DIR) + "/bin/llmd-shim",
            .arguments = {"--attached", files_.spec().string()},
            .new_session = true};
  }

  void Launch() { Launch(ShimProcess()); }
  void Launch(platform::ProcessSpec process) {
    auto ends = platform::SocketPair();
    if (!ends.ok()) throw std::runtime_error(Message(ends.status()));
    process.descriptors = {{ends->second.get(), platform::kShimClientFd}};
    auto shim = launcher_->Launch(process);
    if (!shim.ok()) throw std::runtime_error(Message(shim.status()));  // ends the test
    shim_ = std::move(*shim);
    client_ = std::make_unique<ShimClient>(std::move(ends->first));
  }

  std::unique_ptr<ShimClient> Connect() {
    auto socket = platform::ConnectUnix(spec_.shim_socket);
    EXPECT_TRUE(socket.ok()) << Message(socket.status());
    if (!socket.ok()) return nullptr;
    return std::make_unique<ShimClient>(std::move(*socket));
  }

  bool WaitReady() {
    while (const auto event = client_->NextOf<platform::ServerEvent>()) {
      if (event->kind == platform::ServerEvent::Kind::kReady) return true;
    }
    return false;
  }

  void Stop(double grace_seconds) {
    ASSERT_TRUE(client_->Send(platform::StopRequest{.grace_seconds = grace_seconds}));
  }

  // Waits for the end of server and shim; the shim's exit code is `shim_exit_`.
  platform::ShimExit End() {
    const auto ended = client_->NextOf<platform::EndedEvent>();
    EXPECT_TRUE(ended) << "the shim went without a word";
    shim_exit_ = shim_->Wait(CancelToken())->code;
    shim_.reset();
    return ended ? ended->exit : platform::ShimExit{};
  }

  std::string Log() const { return home_.Read("logs/server.log"); }

  TempFolder home_;
  platform::ServerFiles files_;
  platform::ShimSpec spec_;
  std::unique_ptr<platform::ProcessLauncher> launcher_ = platform::MakeProcessLauncher();
  std::unique_ptr<platform::Process> shim_;
  std::unique_ptr<ShimClient> client_;
  int shim_exit_ = -1;
};

}  // namespace llmd::testing
