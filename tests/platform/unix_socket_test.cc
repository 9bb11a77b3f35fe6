#include "platform/unix_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "support/temp_folder.h"

namespace llmd::platform {
namespace {

using testing::TempFolder;

bool IsCloseOnExec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }
bool IsNonBlocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

TEST(UnixSocket, ConnectAcceptAndPeer) {
  TempFolder folder;
  auto listener = ListenUnix(folder / "s", 4);
  ASSERT_TRUE(listener.ok());
  EXPECT_EQ(AcceptUnix(listener->get()).status().code(), StatusCode::kUnavailable);
  auto client = ConnectUnix(folder / "s");
  ASSERT_TRUE(client.ok());
  auto server = AcceptUnix(listener->get());
  ASSERT_TRUE(server.ok());
  for (const int fd : {listener->get(), client->get(), server->get()}) {
    EXPECT_TRUE(IsCloseOnExec(fd));
    EXPECT_TRUE(IsNonBlocking(fd));
  }
  const auto peer = PeerOf(client->get());
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer->user, ::geteuid());
  EXPECT_EQ(peer->pid, ::getpid());
}

TEST(UnixSocket, AStaleFileIsReplaced) {
  TempFolder folder;
  ASSERT_TRUE(ListenUnix(folder / "s", 4).ok());  // closed, its file is left
  EXPECT_EQ(ConnectUnix(folder / "s").status().code(), StatusCode::kUnavailable);
  auto listener = ListenUnix(folder / "s", 4);
  ASSERT_TRUE(listener.ok());
  EXPECT_TRUE(ConnectUnix(folder / "s").ok());
}

TEST(UnixSocket, AFullQueueIsUnavailable) {
  TempFolder folder;
  auto listener = ListenUnix(folder / "s", 0);
  ASSERT_TRUE(listener.ok());
  std::vector<FileDescriptor> waiting;
  Status status;
  while (status.ok() && waiting.size() < 100) {
    auto client = ConnectUnix(folder / "s");
    status = client.status();
    if (client.ok()) waiting.push_back(std::move(*client));
  }
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
}

TEST(UnixSocket, NobodyThereAndPathTooLong) {
  TempFolder folder;
  EXPECT_EQ(ConnectUnix(folder / "none").status().code(), StatusCode::kNotFound);
  const auto longest =
      folder.path() / std::string(MaxSocketPath() - folder.path().native().size() - 1, 's');
  const auto listener = ListenUnix(longest, 1);
  ASSERT_TRUE(listener.ok());
  EXPECT_TRUE(ConnectUnix(longest).ok());
  const std::filesystem::path too_long = longest.string() + "s";
  EXPECT_EQ(GetErrorInfo(ListenUnix(too_long, 1).status()).code, "socket_path_too_long");
  EXPECT_EQ(GetErrorInfo(ConnectUnix(too_long).status()).code, "socket_path_too_long");
}

TEST(UnixSocket, PairsAndPipesCloseOnExec) {
  auto pair = SocketPair();
  ASSERT_TRUE(pair.ok());
  ASSERT_EQ(::write(pair->first.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(pair->second.get(), &byte, 1), 1);
  auto pipe = MakePipe();
  ASSERT_TRUE(pipe.ok());
  for (const int fd :
       {pair->first.get(), pair->second.get(), pipe->first.get(), pipe->second.get()}) {
    EXPECT_TRUE(IsCloseOnExec(fd));
  }
  EXPECT_FALSE(IsNonBlocking(pipe->first.get()));
}

}  // namespace
}  // namespace llmd::platform
