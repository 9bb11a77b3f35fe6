// GenericCall: one call to the control plane as bytes, without generated code, so a new RPC needs
// no change here. Runs on gRPC's threads and reports to the io thread that started it. Keeps itself
// alive until gRPC is done with it.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "http/io.h"

namespace llmd::gateway {

class GenericCall : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                    public std::enable_shared_from_this<GenericCall> {
 public:
  explicit GenericCall(http::asio::any_io_executor executor);

  // Before Start.
  grpc::ClientContext& context() { return context_; }
  void Start(grpc::GenericStub& stub, const std::string& method, const std::string& message);

  // The server's initial metadata is here, or the call has ended.
  http::asio::awaitable<void> Started();
  // The next message has arrived: Next will not wait.
  bool HasMessage() const { return has_message_; }
  // The next message; nothing at the end, when status() is final. Asks gRPC for another one only
  // when it is called again, so a slow client slows the server.
  http::asio::awaitable<std::optional<std::string>> Next();
  const grpc::Status& status() const { return status_; }

  // Ends the call; Next still has to be called until it returns nothing.
  void Cancel() { context_.TryCancel(); }
  // Nobody waits any more: ends the call and reports nothing.
  void Abandon();

 private:
  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  // Runs `change` on the io thread and wakes who waits there.
  void Post(std::function<void()> change);
  http::asio::awaitable<void> WaitForChange();

  const http::asio::any_io_executor executor_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer message_;
  std::shared_ptr<GenericCall> self_;

  // On the io thread.
  std::optional<http::asio::steady_timer> changed_;  // gRPC may keep the call for longer
  bool started_ = false;
  bool reading_ = false;
  bool has_message_ = false;
  bool reads_over_ = false;
  bool done_ = false;
  grpc::Status status_;

  Mutex mutex_;
  bool awaited_ LLMD_GUARDED_BY(mutex_) = true;
};

}  // namespace llmd::gateway
