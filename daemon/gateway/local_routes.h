// The routes that llmd answers itself: models, probes, metrics, the dashboard's files.
#pragma once

#include "gateway/call.h"

namespace llmd::gateway {

http::asio::awaitable<void> ServeLocal(Call& call);

}  // namespace llmd::gateway
