// UpstreamPool: connections to model servers that wait for their next request. One per io thread,
// used there only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "http/endpoint.h"
#include "http/io.h"

namespace llmd::http {

class UpstreamPool {
 public:
  explicit UpstreamPool(asio::any_io_executor executor);

  // A connection that still looks alive, or nothing.
  std::optional<Socket> Take(const Endpoint& endpoint);
  // Keeps a connection whose last answer has been read to its end. It is closed after 4 s: the
  // servers close theirs after 5.
  void Give(const Endpoint& endpoint, Socket socket);
  // Closes all, and keeps none from here on.
  void Close();

  const asio::any_io_executor& executor() const { return executor_; }

 private:
  struct Idle {
    Socket socket;
    std::chrono::steady_clock::time_point since;
  };
  void Sweep();
  void ScheduleSweep();

  asio::any_io_executor executor_;
  asio::steady_timer sweep_;
  bool sweeping_ = false;
  bool closed_ = false;
  std::map<Endpoint, std::vector<Idle>> idle_;
};

}  // namespace llmd::http
