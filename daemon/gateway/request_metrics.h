// RequestMetrics: what is counted for each request. Labels are installed models (else "other") and
// our own routes (else "other"), never a client's text, so the number of series is bounded. Looks a
// series up once. Belongs to one io thread.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/metrics.h"

namespace llmd::gateway {

class RequestMetrics {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RequestMetrics(Metrics& metrics) : metrics_(metrics) {}

  // A request that a model server works on: counted as in flight until it is destroyed.
  class InFlight {
   public:
    explicit InFlight(GaugeHandle gauge) : gauge_(gauge) { gauge_.Add(1); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { gauge_.Add(-1); }

   private:
    GaugeHandle gauge_;
  };

  GaugeHandle InFlightOf(const std::string& model);
  void FirstByte(const std::string& model, std::string_view path, Clock::duration after);
  // `model`: the installed model's name, or empty.
  void Ended(const std::string& model, std::string_view path, int status, Clock::duration took);
  void AuthFailed(const std::string& reason);

 private:
  struct Series {
    HistogramHandle seconds;
    HistogramHandle first_byte;
    std::map<int, CounterHandle> by_status;
  };
  Series& SeriesOf(const std::string& model, std::string_view path);

  Metrics& metrics_;
  std::map<std::pair<std::string, std::string_view>, Series> series_;
  std::map<std::string, GaugeHandle> in_flight_;
};

// The label of a path: "chat_completions" for "/v1/chat/completions"; "other" for unknown ones.
std::string_view ApiLabel(std::string_view path);

}  // namespace llmd::gateway
