// What the sessions of the gateway share. GatewayState belongs to the whole gateway and is
// thread-safe; an IoThread belongs to its thread.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "base/thread.h"
#include "gateway/access.h"
#include "gateway/body.h"
#include "gateway/gateway.h"
#include "gateway/request_metrics.h"
#include "gateway/static_files.h"
#include "http/io.h"
#include "http/upstream_pool.h"

namespace llmd::gateway {

class Session;

struct GatewayState {
  GatewayState(GatewayParts parts_in, GatewayOptions options_in)
      : parts(std::move(parts_in)),
        options(std::move(options_in)),
        budget(options.limits.buffered_bytes) {}

  GatewayParts parts;
  GatewayOptions options;
  AccessPolicy access{{}};
  StaticFiles files;
  ByteBudget budget;
  std::atomic<size_t> connections{0};
  std::atomic<bool> draining{false};
  // For what may block or takes long: lists, metrics, files.
  http::asio::thread_pool work{1};
};

struct IoThread {
  explicit IoThread(Metrics& registry) : metrics(registry) {}

  // Before the context: what it destroys at its end may still use these.
  RequestMetrics metrics;
  std::mt19937_64 random{std::random_device()()};
  std::set<Session*> sessions;
  http::asio::io_context io{1};
  http::UpstreamPool pool{io.get_executor()};
  http::asio::executor_work_guard<http::asio::io_context::executor_type> guard{io.get_executor()};
  JoiningThread thread;
};

// Runs `work` on the pool; the caller goes on where it was.
http::asio::awaitable<std::string> RunOn(http::asio::thread_pool& pool,
                                         std::function<std::string()> work);
http::asio::awaitable<Status> RunStatusOn(http::asio::thread_pool& pool,
                                          std::function<Status()> work);

}  // namespace llmd::gateway
