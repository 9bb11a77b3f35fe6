#include "gateway/body_scan.h"

#include <utility>

#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

constexpr size_t kScanHere = 256u << 10;  // well below a millisecond

Status Scan(const RequestBody& body, std::vector<JsonMember>& members) {
  LLMD_ASSIGN_OR_RETURN(members, ScanObject(body.bytes()));
  return OkStatus();
}

}  // namespace

http::asio::awaitable<Status> ScanBody(Call& call, std::vector<JsonMember>& members) {
  if (call.form) co_return BadRequest("unsupported_media_type", "this route takes JSON");
  const RequestBody& body = call.body;
  if (body.bytes().size() <= kScanHere) co_return Scan(body, members);
  std::function<Status()> scan = [&body, &members] { return Scan(body, members); };
  co_return co_await RunStatusOn(call.gateway.work, std::move(scan));
}

}  // namespace llmd::gateway
