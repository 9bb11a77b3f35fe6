// GenerationCall: feeds one client a generated answer: acquires the model (starting it when it does
// not run), sends the request, turns server-sent events into chunks. When the client goes, the
// model server stops generating. Thread-safe.
#pragma once

#include <llmd/v1/agent.pb.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "http/upstream_client.h"
#include "rpc/server_stream.h"
#include "serving/model_router.h"

namespace llmd::rpc {

class GenerationCall : public std::enable_shared_from_this<GenerationCall> {
 public:
  using Stream = ServerStream<v1::GenerationChunk>;
  struct Request {
    std::string model;
    std::string target;  // "/v1/chat/completions"
    // The body, once it is known what name the model server expects.
    std::function<StatusOr<std::string>(const std::string& served_name)> body;
  };

  GenerationCall(Request request, http::UpstreamClient& upstream, std::shared_ptr<Stream> stream)
      : request_(std::move(request)), upstream_(upstream), stream_(std::move(stream)) {}

  void Begin(serving::ModelRouter& router);

 private:
  void Send(serving::Lease lease);
  void OnData(std::string_view bytes);
  void OnEvent(std::string_view data);
  void OnEnd(const Status& status);

  const Request request_;
  http::UpstreamClient& upstream_;
  const std::shared_ptr<Stream> stream_;
  // Set before the request is sent, then used by the upstream client's thread only.
  serving::Lease lease_;
  http::SseSplitter events_;
  int http_status_ = 0;
  std::string error_body_;
  bool finished_ = false;  // the last event has come
};

// kUnimplemented (code "wrong_kind") when the leased model does not answer POST `target`.
Status CheckRoute(const serving::Lease& lease, const std::string& target);

}  // namespace llmd::rpc
