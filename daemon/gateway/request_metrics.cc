#include "gateway/request_metrics.h"

#include <algorithm>
#include <utility>

namespace llmd::gateway {
namespace {

constexpr std::pair<std::string_view, std::string_view> kApis[] = {
    {"/v1/chat/completions", "chat_completions"},
    {"/v1/completions", "completions"},
    {"/v1/responses", "responses"},
    {"/v1/embeddings", "embeddings"},
    {"/v1/rerank", "rerank"},
    {"/v1/audio/transcriptions", "audio_transcriptions"},
    {"/v1/audio/translations", "audio_translations"},
    {"/v1/audio/speech", "audio_speech"},
    {"/v1/images/generations", "images_generations"},
    {"/v1/images/edits", "images_edits"},
    {"/v1/classify", "classify"},
    {"/v1/videos", "videos"},
    {"/v1/models", "models"},
    {"/api/generate", "generate"},
    {"/api/model/info", "model_info"},
    {"/livez", "livez"},
    {"/readyz", "readyz"},
    {"/metrics", "metrics"},
    {"/", "page"},
};

double Seconds(RequestMetrics::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::string_view ApiLabel(std::string_view path) {
  if (path.starts_with("/llmd.v1.")) return "grpc_web";
  if (path.starts_with("/v1/models/")) return "models";
  const auto* at = std::find_if(std::begin(kApis), std::end(kApis),
                                [path](const auto& row) { return row.first == path; });
  return at == std::end(kApis) ? "other" : at->second;
}

RequestMetrics::Series& RequestMetrics::SeriesOf(const std::string& model, std::string_view path) {
  const std::string_view api = ApiLabel(path);
  const std::string name = model.empty() ? "other" : model;
  const auto [at, is_new] = series_.try_emplace({name, api});
  if (is_new) {
    at->second.seconds =
        metrics_.Histogram(metric::kRequestSeconds, {{"model", name}, {"api", std::string(api)}});
    at->second.first_byte =
        metrics_.Histogram(metric::kFirstByteSeconds, {{"model", name}, {"api", std::string(api)}});
  }
  return at->second;
}

GaugeHandle RequestMetrics::InFlightOf(const std::string& model) {
  const auto [at, is_new] = in_flight_.try_emplace(model);
  if (is_new) at->second = metrics_.Gauge(metric::kInFlight, {{"model", model}});
  return at->second;
}

void RequestMetrics::FirstByte(const std::string& model, std::string_view path,
                               Clock::duration after) {
  SeriesOf(model, path).first_byte.Observe(Seconds(after));
}

void RequestMetrics::Ended(const std::string& model, std::string_view path, int status,
                           Clock::duration took) {
  Series& series = SeriesOf(model, path);
  series.seconds.Observe(Seconds(took));
  const auto [at, is_new] = series.by_status.try_emplace(status);
  if (is_new) {
    at->second = metrics_.Counter(metric::kRequests, {{"model", model.empty() ? "other" : model},
                                                      {"api", std::string(ApiLabel(path))},
                                                      {"code", std::to_string(status)}});
  }
  at->second.Add();
}

void RequestMetrics::AuthFailed(const std::string& reason) {
  metrics_.Count(metric::kAuthFailures, {{"reason", reason}});
}

}  // namespace llmd::gateway
