#include "rpc/status.h"

#include <google/rpc/status.pb.h>
#include <llmd/v1/jobs.pb.h>

namespace llmd::rpc {

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const ErrorInfo info = GetErrorInfo(status);
  v1::Error error;
  error.set_code(info.code);
  error.set_message(Message(status));
  error.set_next_step(info.next_step);
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(Message(status));
  details.add_details()->PackFrom(error);
  return {static_cast<grpc::StatusCode>(status.code()), Message(status),
          details.SerializeAsString()};
}

}  // namespace llmd::rpc
