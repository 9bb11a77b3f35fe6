// How llmd-shim starts a server and what the server finds.
#include <gmock/gmock.h>

#include <array>

#include "shim/shim_fixture.h"

namespace llmd::shim {
namespace {

namespace fs = std::filesystem;
using platform::ServerEvent;
using platform::ShimPhase;
using platform::ShimState;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::kGoodServer;
using ::testing::Not;

class ShimStart : public testing::ShimTest {};

TEST_F(ShimStart, TellsItsStateThenPassesReadinessOn) {
  StartShim(
      "echo '{\"event\":\"listening\"}' >&3\n"
      "echo '{\"event\":\"loading\",\"message\":\"weights\"}' >&3\n" +
      kGoodServer);
  const auto state = client_->NextOf<ShimState>();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->model, "org/name");
  EXPECT_EQ(state->folder_name, "org_name");
  EXPECT_EQ(state->token, "the-token");
  EXPECT_EQ(state->boot_id, *platform::BootId());
  EXPECT_EQ(state->endpoint, "unix://" + spec_.api_socket.string());
  EXPECT_EQ(state->shim.pid, shim_->pid());
  EXPECT_EQ(state->spec_sha256, *Sha256OfFile(files_.spec()));
  EXPECT_EQ(client_->NextOf<ServerEvent>()->kind, ServerEvent::Kind::kListening);
  const auto loading = client_->NextOf<ServerEvent>();
  EXPECT_EQ(loading->kind, ServerEvent::Kind::kLoading);
  EXPECT_EQ(loading->message, "weights");
  EXPECT_EQ(client_->NextOf<ServerEvent>()->kind, ServerEvent::Kind::kReady);

  const auto file = platform::ParseShimState(*ReadFile(files_.state(), 1 << 20));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->phase, ShimPhase::kReady);
  EXPECT_TRUE(file->ready_at);
  EXPECT_EQ(file->server, state->server);
  EXPECT_TRUE(
      platform::IsRunning(static_cast<pid_t>(state->server.pid), state->server.start_ticks));
  // A group of its own, the shim's session, and nothing of a terminal.
  EXPECT_EQ(::getpgid(static_cast<pid_t>(state->server.pid)), state->server.pid);
  EXPECT_EQ(::getsid(static_cast<pid_t>(state->server.pid)), shim_->pid());
  Stop(10);
  End();
}

TEST_F(ShimStart, AServerFindsAListeningSocket) {
  StartShim(R"(
import os, socket
listener = socket.socket(fileno=int(os.environ["LLMD_LISTEN_FD"]))
assert "LLMD_SOCKET" not in os.environ
assert listener.getblocking() and os.get_blocking(listener.fileno())
os.write(int(os.environ["LLMD_READY_FD"]), b'{"event":"ready"}\n')
connection, _ = listener.accept()
connection.sendall(b"hello " + listener.getsockname().encode())
connection.recv(1)
)",
            "/usr/bin/python3");
  ASSERT_TRUE(client_->NextOf<ShimState>());
  // At once: whoever is early waits in the socket's queue.
  auto socket = platform::ConnectUnix(spec_.api_socket);
  ASSERT_TRUE(socket.ok()) << Message(socket.status());
  ASSERT_TRUE(testing::IsReadable(socket->get()));
  std::array<char, 256> bytes{};
  const ssize_t got = ::read(socket->get(), bytes.data(), bytes.size());
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(bytes.data(), static_cast<size_t>(got)),
            "hello " + spec_.api_socket.string());
  socket->Close();
  EXPECT_EQ(End().exit_code, 0);
}

TEST_F(ShimStart, AServerThatBindsItselfFindsTheStaleSocketRemoved) {
  spec_.bind = "unix";
  auto stale = platform::ListenUnix(spec_.api_socket, 1);
  ASSERT_TRUE(stale.ok());
  stale->Close();
  StartShim(R"(
import os, socket
assert "LLMD_LISTEN_FD" not in os.environ
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["LLMD_SOCKET"])
listener.listen()
os.write(int(os.environ["LLMD_READY_FD"]), b'{"event":"ready"}\n')
listener.accept()
)",
            "/usr/bin/python3");
  ASSERT_TRUE(WaitReady());
  EXPECT_TRUE(platform::ConnectUnix(spec_.api_socket).ok());
  EXPECT_EQ(End().exit_code, 0);
  EXPECT_FALSE(fs::exists(spec_.api_socket));
}

TEST_F(ShimStart, AServerGetsItsEnvironmentFolderAndDescriptorsAndNoMore) {
  ::setenv("LLMD_TEST_SECRET", "planted", 1);
  spec_.environment["LLMD_THREADS"] = "3";
  spec_.environment["LLMD_LISTEN_FD"] = "77";
  spec_.environment["LLMD_SOCKET"] = "/wrong";
  StartShim("env | sort; pwd; umask; echo fds $(ls /proc/self/fd); cat");
  ::unsetenv("LLMD_TEST_SECRET");
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.exit_code, 0);
  EXPECT_THAT(exit.last_log, Contains("LLMD_THREADS=3"));
  EXPECT_THAT(exit.last_log, Contains("LLMD_LISTEN_FD=4"));
  EXPECT_THAT(exit.last_log, Contains("LLMD_READY_FD=3"));
  EXPECT_THAT(exit.last_log, Contains("LLMD_SERVER_MARK=" + platform::MarkFor("the-token")));
  EXPECT_THAT(exit.last_log, Contains(spec_.folder.string()));
  EXPECT_THAT(exit.last_log, Not(Contains(HasSubstr("planted"))));
  EXPECT_THAT(exit.last_log, Not(Contains(HasSubstr("LLMD_SOCKET"))));
#if defined(__linux__)
  // 3 to ls is the ready descriptor; its own folder comes after the listening socket.
  EXPECT_THAT(exit.last_log, Contains("fds 0 1 2 3 4 5"));
#endif
}

TEST_F(ShimStart, ArgumentsArePassedOn) {
  spec_.arguments = {"--port", "a b; $(echo no)"};
  StartShim("printf '%s|' \"$@\"");
  EXPECT_THAT(End().last_log, ::testing::ElementsAre("--port|a b; $(echo no)|"));
}

TEST_F(ShimStart, AMissingScriptIsAnEndWithAReason) {
  spec_.folder = home_.path();
  spec_.program = home_ / "start.sh";
  WriteSpec();
  Launch();
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.exit_code, 127);
  ASSERT_FALSE(exit.last_log.empty());
  EXPECT_THAT(exit.last_log.back(), HasSubstr("cannot start " + spec_.program.string()));
}

TEST_F(ShimStart, AScriptThatMayNotRunIsAnEndWithAReason) {
  spec_.folder = home_.path();
  spec_.program = home_.Write("start.sh", "#!/bin/sh\n");
  WriteSpec();
  Launch();
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.exit_code, 126);
  EXPECT_THAT(exit.last_log.back(), HasSubstr("Permission denied"));
}

// What the shim says when it cannot do its work; it ends with 1 then.
class ShimRefusal : public ShimStart {
 protected:
  std::string Error() {
    const auto error = client_->NextOf<platform::ShimError>();
    shim_exit_ = shim_->Wait(CancelToken())->code;
    shim_.reset();
    EXPECT_EQ(shim_exit_, 1);
    EXPECT_FALSE(fs::exists(files_.state()) && fs::is_regular_file(files_.state()));
    return error ? error->message : "";
  }
};

TEST_F(ShimRefusal, WithoutASpec) {
  Launch();
  EXPECT_THAT(Error(), HasSubstr("spec.json"));
}

TEST_F(ShimRefusal, WithABrokenSpec) {
  home_.Write("run/spec.json", "{\"schema\": 1,");
  Launch();
  EXPECT_THAT(Error(), HasSubstr("spec.json:1:"));
}

TEST_F(ShimRefusal, WithASpecThatWasNotMeant) {
  spec_.folder = testing::WriteModel(home_, "model", "touch was-run");
  spec_.program = spec_.folder / "start.sh";
  WriteSpec();
  platform::ProcessSpec process = ShimProcess();
  process.arguments = {"--attached", "--spec-sha256", Sha256Hex("another"), files_.spec()};
  Launch(process);
  EXPECT_THAT(Error(), HasSubstr("is not the one"));
  EXPECT_FALSE(fs::exists(spec_.folder / "was-run"));
}

TEST_F(ShimRefusal, WhereTheSocketPathIsTooLong) {
  spec_.api_socket = "/tmp/" + std::string(200, 's');
  StartShim("touch was-run");
  EXPECT_THAT(Error(), HasSubstr("at most"));
  EXPECT_FALSE(fs::exists(spec_.folder / "was-run"));
}

TEST_F(ShimRefusal, WhereTheLogCannotBeWritten) {
  home_.Write("logs", "a file, not a folder");
  StartShim("touch was-run");
  EXPECT_THAT(Error(), HasSubstr("logs"));
}

TEST_F(ShimRefusal, WhereTheStateCannotBeWrittenTheServerDoesNotLive) {
  fs::create_directories(files_.state() / "in-the-way");
  StartShim("echo $$ > pid\n" + kGoodServer);
  EXPECT_THAT(Error(), HasSubstr("state.json"));
  const std::string pid = home_.Read("model/pid");  // empty when it was killed before that
  if (!pid.empty()) {
    EXPECT_TRUE(testing::IsGone(std::stol(pid)));
  }
}

TEST(ShimProgram, SaysHowItIsUsed) {
  const auto launcher = platform::MakeProcessLauncher();
  for (const char* argument : {"", "relative/spec.json"}) {
    std::string output;
    const auto exit = launcher->Run(
        {.program = std::string(LLMD_BINARY_DIR) + "/bin/llmd-shim", .arguments = {argument}},
        {.on_line = [&output](std::string_view line) { output += line; }}, CancelToken());
    ASSERT_TRUE(exit.ok());
    EXPECT_EQ(exit->code, 2);
    EXPECT_THAT(output, HasSubstr("usage: llmd-shim"));
  }
}

}  // namespace
}  // namespace llmd::shim
