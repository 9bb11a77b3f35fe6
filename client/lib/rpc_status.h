// From gRPC's status to ours: the stable code and the next step come out of the details.
#pragma once

#include <grpcpp/support/status.h>

#include "base/status.h"

namespace llmd::client {

Status FromGrpc(const grpc::Status& status);

}  // namespace llmd::client
