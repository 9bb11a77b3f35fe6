// Metrics: counters, gauges and histograms in the Prometheus sense, names declared here and
// nowhere else. One Metrics object belongs to the composition root. Thread-safe.
// Labels come from configured sets only (installed models, status classes), never from a client.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace llmd {

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string>>;

namespace metric {
inline constexpr char kRequests[] = "llmd_requests_total";                      // model, api, code
inline constexpr char kRequestSeconds[] = "llmd_request_duration_seconds";      // model, api
inline constexpr char kFirstByteSeconds[] = "llmd_time_to_first_byte_seconds";  // model, api
inline constexpr char kInFlight[] = "llmd_requests_in_flight";                  // model
inline constexpr char kDownloadBytes[] = "llmd_download_bytes_total";  // result: fetched, reused
inline constexpr char kServerStarts[] = "llmd_model_starts_total";     // model, result
inline constexpr char kServerEnds[] =
    "llmd_model_server_ends_total";  // model, how: stopped, failed, oom
inline constexpr char kReadopted[] = "llmd_readopted_total";
inline constexpr char kMemoryBytes[] = "llmd_memory_bytes";          // kind: capacity, reserved
inline constexpr char kJobs[] = "llmd_jobs_ended_total";             // kind, state
inline constexpr char kAuthFailures[] = "llmd_auth_failures_total";  // reason
}  // namespace metric

// A series that was looked up once, for paths that are too hot to do it by labels each time. Valid
// as long as the Metrics object; copying it is free. Thread-safe.
class CounterHandle {
 public:
  void Add(double amount = 1) const;

 private:
  friend class Metrics;
  void* series_ = nullptr;
};
class GaugeHandle {
 public:
  void Add(double amount) const;

 private:
  friend class Metrics;
  void* series_ = nullptr;
};
class HistogramHandle {
 public:
  void Observe(double seconds) const;

 private:
  friend class Metrics;
  void* series_ = nullptr;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `name` is one of the constants above.
  void Count(const char* name, MetricLabels labels, double amount = 1);
  void SetGauge(const char* name, MetricLabels labels, double value);
  void AddGauge(const char* name, MetricLabels labels, double amount);
  void Observe(const char* name, MetricLabels labels, double seconds);

  CounterHandle Counter(const char* name, MetricLabels labels);
  GaugeHandle Gauge(const char* name, MetricLabels labels);
  HistogramHandle Histogram(const char* name, MetricLabels labels);

  // Prometheus text format 0.0.4.
  std::string Render() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmd
