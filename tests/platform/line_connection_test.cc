#include "platform/line_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "platform/unix_socket.h"

namespace llmd::platform {
namespace {

using ::testing::ElementsAre;

class LineConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto pair = SocketPair();
    ASSERT_TRUE(pair.ok());
    near_.emplace(std::move(pair->first), 100, 1 << 20);
    far_ = std::move(pair->second);
  }
  bool Receive() {
    return near_->Receive([this](std::string_view line) { lines_.emplace_back(line); });
  }
  void Write(std::string_view bytes) {
    ASSERT_EQ(::write(far_.get(), bytes.data(), bytes.size()), std::ssize(bytes));
  }

  std::optional<LineConnection> near_;
  FileDescriptor far_;
  std::vector<std::string> lines_;
};

TEST_F(LineConnectionTest, SendsAndReceivesLines) {
  EXPECT_TRUE(near_->Send("hello"));
  char bytes[16];
  ASSERT_EQ(::read(far_.get(), bytes, sizeof(bytes)), 6);
  EXPECT_EQ(std::string_view(bytes, 6), "hello\n");
  Write("a\nb\nhal");
  EXPECT_TRUE(Receive());
  EXPECT_TRUE(Receive());  // nothing there: still connected
  Write("f\n");
  EXPECT_TRUE(Receive());
  EXPECT_THAT(lines_, ElementsAre("a", "b", "half"));
}

TEST_F(LineConnectionTest, HearsTheHangUpAfterTheLastLine) {
  Write("last\n");
  far_.Close();
  while (Receive()) {
  }
  EXPECT_THAT(lines_, ElementsAre("last"));
  EXPECT_FALSE(near_->Send("x"));
}

TEST_F(LineConnectionTest, KeepsWhatThePeerDoesNotReadUpToALimit) {
  EXPECT_EQ(near_->events(), POLLIN);
  const std::string line(64 << 10, 'x');
  int sent = 0;
  while (!near_->has_unsent()) {
    ASSERT_TRUE(near_->Send(line));
    ++sent;
  }
  EXPECT_EQ(near_->events(), POLLIN | POLLOUT);
  // The peer reads it all in the end.
  size_t got = 0;
  std::vector<char> buffer(1 << 20);
  const size_t all = static_cast<size_t>(sent) * (line.size() + 1);
  while (got < all) {
    ASSERT_TRUE(near_->Flush());
    const ssize_t piece = ::read(far_.get(), buffer.data(), buffer.size());
    if (piece > 0) got += static_cast<size_t>(piece);
  }
  EXPECT_FALSE(near_->has_unsent());
  // One that never reads is given up.
  bool connected = true;
  for (int i = 0; connected && i < 1000; ++i) connected = near_->Send(line);
  EXPECT_FALSE(connected);
}

}  // namespace
}  // namespace llmd::platform
