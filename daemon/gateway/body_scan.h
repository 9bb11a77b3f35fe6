// Scans a JSON body for its members; a large one not on the io thread.
#pragma once

#include <vector>

#include "gateway/call.h"
#include "gateway/json_scan.h"

namespace llmd::gateway {

// Errors as ScanObject; and kInvalidArgument (code "unsupported_media_type") for a form.
http::asio::awaitable<Status> ScanBody(Call& call, std::vector<JsonMember>& members);

}  // namespace llmd::gateway
