#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "base/mutex.h"

namespace llmd {
namespace {

std::map<std::string, std::string> ToLabels(MetricLabels labels) {
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : labels) result.emplace(key, value);
  return result;
}

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const prometheus::Histogram::BucketBoundaries buckets = {
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
  return buckets;
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  Mutex mutex;
  std::map<std::string, prometheus::Family<prometheus::Counter>*> counters LLMD_GUARDED_BY(mutex);
  std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges LLMD_GUARDED_BY(mutex);
  std::map<std::string, prometheus::Family<prometheus::Histogram>*> histograms
      LLMD_GUARDED_BY(mutex);

  prometheus::Counter& CounterOf(const char* name, MetricLabels labels) {
    MutexLock lock(mutex);
    auto& family = counters[name];
    if (family == nullptr) family = &prometheus::BuildCounter().Name(name).Register(registry);
    return family->Add(ToLabels(labels));
  }
  prometheus::Histogram& HistogramOf(const char* name, MetricLabels labels) {
    MutexLock lock(mutex);
    auto& family = histograms[name];
    if (family == nullptr) family = &prometheus::BuildHistogram().Name(name).Register(registry);
    return family->Add(ToLabels(labels), SecondsBuckets());
  }
  prometheus::Gauge& GaugeOf(const char* name, MetricLabels labels) {
    MutexLock lock(mutex);
    auto& family = gauges[name];
    if (family == nullptr) family = &prometheus::BuildGauge().Name(name).Register(registry);
    return family->Add(ToLabels(labels));
  }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void CounterHandle::Add(double amount) const {
  static_cast<prometheus::Counter*>(series_)->Increment(amount);
}

void GaugeHandle::Add(double amount) const {
  static_cast<prometheus::Gauge*>(series_)->Increment(amount);
}

void HistogramHandle::Observe(double seconds) const {
  static_cast<prometheus::Histogram*>(series_)->Observe(seconds);
}

CounterHandle Metrics::Counter(const char* name, MetricLabels labels) {
  CounterHandle handle;
  handle.series_ = &state_->CounterOf(name, labels);
  return handle;
}

GaugeHandle Metrics::Gauge(const char* name, MetricLabels labels) {
  GaugeHandle handle;
  handle.series_ = &state_->GaugeOf(name, labels);
  return handle;
}

HistogramHandle Metrics::Histogram(const char* name, MetricLabels labels) {
  HistogramHandle handle;
  handle.series_ = &state_->HistogramOf(name, labels);
  return handle;
}

void Metrics::Count(const char* name, MetricLabels labels, double amount) {
  state_->CounterOf(name, labels).Increment(amount);
}

void Metrics::SetGauge(const char* name, MetricLabels labels, double value) {
  state_->GaugeOf(name, labels).Set(value);
}

void Metrics::AddGauge(const char* name, MetricLabels labels, double amount) {
  state_->GaugeOf(name, labels).Increment(amount);
}

void Metrics::Observe(const char* name, MetricLabels labels, double seconds) {
  state_->HistogramOf(name, labels).Observe(seconds);
}

std::string Metrics::Render() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace llmd
