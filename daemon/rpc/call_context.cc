#include "rpc/call_context.h"

#include <string_view>

#include "base/hash.h"

namespace llmd::rpc {
namespace {

std::string_view MetadataOf(const grpc::CallbackServerContext& context, const char* name) {
  const auto at = context.client_metadata().find(name);
  if (at == context.client_metadata().end()) return {};
  return {at->second.data(), at->second.size()};
}

bool CarriesToken(const grpc::CallbackServerContext& context, std::string_view token) {
  constexpr std::string_view kBearer = "Bearer ";
  std::string_view given = MetadataOf(context, "authorization");
  if (!given.starts_with(kBearer)) return false;
  given.remove_prefix(kBearer.size());
  return !token.empty() && SameSecret(given, token);
}

}  // namespace

StatusOr<Caller> RpcContext::Authorize(const grpc::CallbackServerContext& context) const {
  const std::string peer = context.peer();
  if (peer.starts_with("ipv4:") || peer.starts_with("ipv6:")) {
    if (CarriesToken(context, token_)) return Caller{.kind = Caller::Kind::kToken};
    return MakeStatus(StatusCode::kUnauthenticated, "this call needs llmd's token",
                      {.code = "unauthenticated",
                       .next_step = "Send the metadata 'authorization: Bearer TOKEN'; the token is "
                                    "in run/token of llmd's home."});
  }
  if (MetadataOf(context, kCallerHeader) == "http") return Caller{.kind = Caller::Kind::kToken};
  return Caller{.kind = Caller::Kind::kLocal};
}

}  // namespace llmd::rpc
