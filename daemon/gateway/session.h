// Session: a client's connection, from its first request to its last. The only loop of the gateway.
// Belongs to its io thread; kept alive by its own coroutine.
#pragma once

#include <memory>

#include "base/status.h"
#include "gateway/call.h"
#include "gateway/io_thread.h"

namespace llmd::gateway {

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(GatewayState& gateway, IoThread& thread, http::Socket socket);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  http::asio::awaitable<void> Run();

  // llmd ends: an idle connection closes, a call to the control plane ends, the others go on.
  void Drain();
  // The call under way ends with an error.
  void Abort();
  void Close() { client_->Close(); }

 private:
  // Whether the connection goes on to another request.
  http::asio::awaitable<bool> ServeOne();
  http::asio::awaitable<bool> ReadHead(Call& call);
  http::asio::awaitable<void> Serve(Call& call);
  http::asio::awaitable<void> Dispatch(Call& call);
  http::asio::awaitable<Status> Prepare(Call& call);
  Status Admit(Call& call);
  http::asio::awaitable<void> Refuse(Call& call, Status why);
  http::asio::awaitable<void> AnswerOptions(Call& call);
  void Finish(Call& call);

  GatewayState& gateway_;
  IoThread& thread_;
  std::shared_ptr<ClientConnection> client_;
  Call* call_ = nullptr;
  bool idle_ = false;
  bool unread_body_ = false;  // closing must be gentle
};

}  // namespace llmd::gateway
