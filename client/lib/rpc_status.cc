#include "lib/rpc_status.h"

#include <google/rpc/status.pb.h>
#include <llmd/v1/jobs.pb.h>

namespace llmd::client {

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return OkStatus();
  const Status plain =
      MakeStatus(static_cast<StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& any : details.details()) {
      v1::Error error;
      if (any.UnpackTo(&error)) {
        return WithInfo(plain, {.code = error.code(), .next_step = error.next_step()});
      }
    }
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return WithInfo(plain,
                    {.code = "daemon_unreachable",
                     .next_step = "Is llmd running? See its log: logs/llmd.log in its home."});
  }
  return plain;
}

}  // namespace llmd::client
