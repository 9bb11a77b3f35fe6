// Waits for a running server without blocking the io thread.
#pragma once

#include <string>

#include "gateway/call.h"
#include "serving/model_router.h"

namespace llmd::gateway {

// A lease on the model named `name`, and call.model is set. Errors as ModelRouter::Acquire;
// kCancelled when the call was interrupted; kUnavailable (code "model_loading") when it took longer
// than the limit.
http::asio::awaitable<StatusOr<serving::Lease>> AcquireLease(Call& call, std::string name);

}  // namespace llmd::gateway
