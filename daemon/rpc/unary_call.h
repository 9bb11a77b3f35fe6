// The one adapter for unary RPCs. A handler is a plain function from request to Status; where it
// runs (a pool thread, or right away for what answers by callback) is said by the caller.
// Cancellation by the client, and a deadline that passes, fire the handler's token.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <utility>

#include "base/cancel.h"
#include "base/status.h"
#include "rpc/call_context.h"
#include "rpc/status.h"

namespace llmd::rpc {

// One call in flight; owns itself and goes when gRPC is done with it.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  CancelToken token() const { return cancel_.token(); }

  // Ends the call; the second and later ends are ignored.
  void End(const Status& status) {
    if (!ended_.exchange(true)) Finish(ToGrpc(status));
  }

 private:
  void OnCancel() override { cancel_.Cancel(); }
  void OnDone() override { delete this; }

  CancelSource cancel_;
  std::atomic<bool> ended_{false};
};

// `handler(caller, token)` -> Status, on a pool thread. Request and response live until it returns.
template <typename Handler>
grpc::ServerUnaryReactor* OnPool(const RpcContext& rpc, const grpc::CallbackServerContext& context,
                                 Handler handler) {
  auto* call = new UnaryCall();
  const StatusOr<Caller> caller = rpc.Authorize(context);
  if (!caller.ok()) {
    call->End(caller.status());
    return call;
  }
  const bool queued = rpc.pool().Run([call, caller = *caller, handler = std::move(handler)] {
    Status status = call->token().Check();
    if (status.ok()) status = handler(caller, call->token());
    call->End(status);
  });
  if (!queued) call->End(BusyStatus());
  return call;
}

// `handler(caller, token, done)` on the calling thread; must not block and calls `done(Status)`
// exactly once, from any thread.
template <typename Handler>
grpc::ServerUnaryReactor* ByCallback(const RpcContext& rpc,
                                     const grpc::CallbackServerContext& context, Handler handler) {
  auto* call = new UnaryCall();
  const StatusOr<Caller> caller = rpc.Authorize(context);
  if (!caller.ok()) {
    call->End(caller.status());
    return call;
  }
  handler(*caller, call->token(), [call](const Status& status) { call->End(status); });
  return call;
}

}  // namespace llmd::rpc
