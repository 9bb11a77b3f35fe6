// LocalAcceptor: listens on a Unix socket and hands on connections of the same user only. gRPC's
// own listener cannot tell who is at the other end. One thread.
#pragma once

#include <filesystem>
#include <functional>

#include "base/file.h"
#include "base/status.h"
#include "base/thread.h"

namespace llmd::rpc {

class LocalAcceptor {
 public:
  // Takes over a connection; called on the acceptor's thread.
  using OnConnection = std::function<void(FileDescriptor connection)>;

  explicit LocalAcceptor(OnConnection on_connection) : on_connection_(std::move(on_connection)) {}
  ~LocalAcceptor() { Stop(); }

  // Replaces what lies at `socket`; the caller holds the home's lock, so nobody else listens there.
  Status Start(const std::filesystem::path& socket);
  // Ends the thread and removes the socket.
  void Stop();

 private:
  void Loop();

  const OnConnection on_connection_;
  std::filesystem::path socket_;
  FileDescriptor listener_;
  FileDescriptor wake_read_;
  FileDescriptor wake_write_;
  JoiningThread thread_;
};

}  // namespace llmd::rpc
