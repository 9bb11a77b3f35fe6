// What every RPC needs beside its arguments: who may call, and where blocking work runs.
#pragma once

#include <grpcpp/server_context.h>

#include <string>

#include "base/status.h"
#include "domain/caller.h"
#include "rpc/work_pool.h"

namespace llmd::rpc {

// Metadata that the gateway's bridge puts on calls that came over HTTP; it strips the name from
// what clients send. The bridge has checked Host, Origin and token before.
inline constexpr char kCallerHeader[] = "x-llmd-caller";

// Shared by all services of one server; outlives them.
class RpcContext {
 public:
  RpcContext(std::string token, WorkPool& pool) : token_(std::move(token)), pool_(pool) {}

  // Who calls: the Unix socket is the same user; HTTP was checked by the gateway; TCP must show the
  // token (`authorization: Bearer ...`), else kUnauthenticated (code "unauthenticated").
  StatusOr<Caller> Authorize(const grpc::CallbackServerContext& context) const;

  WorkPool& pool() const { return pool_; }

 private:
  std::string token_;
  WorkPool& pool_;
};

}  // namespace llmd::rpc
