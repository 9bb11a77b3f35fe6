// Our Status to gRPC's, once, at the edge.
#pragma once

#include <grpcpp/support/status.h>

#include "base/status.h"

namespace llmd::rpc {

// The same code and message. The details are a serialised google.rpc.Status that holds an
// llmd.v1.Error (code, message, next step).
grpc::Status ToGrpc(const Status& status);

}  // namespace llmd::rpc
