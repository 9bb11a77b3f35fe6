#include "gateway/routes.h"

#include <algorithm>
#include <cctype>

#include "domain/names.h"
#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

constexpr Route kRoutes[] = {
    {"GET HEAD", "/v1/models", Handler::kModels, false},
    {"GET HEAD", "/v1/models/*", Handler::kModel, false},
    {"POST", "/v1/*", Handler::kProxy, false},
    {"POST", "/api/generate", Handler::kGenerate, false},
    {"GET HEAD POST", "/api/model/info", Handler::kModelInfo, false},
    {"GET HEAD", "/livez", Handler::kLive, true},
    {"GET HEAD", "/readyz", Handler::kReady, true},
    {"GET HEAD", "/metrics", Handler::kMetrics, false},
    {"POST", "/llmd.v1.*", Handler::kGrpcWeb, false},
    {"POST", "/grpc.health.v1.*", Handler::kGrpcWeb, false},
    {"GET HEAD", "/*", Handler::kPage, true},
};

// Where a page never is: an unknown path below these is an error, not the dashboard.
constexpr std::string_view kApiPrefixes[] = {"/v1/", "/api/", "/llmd.v1.", "/grpc."};

bool IsApiPath(std::string_view path) {
  return path == "/v1" || path == "/api" ||
         std::any_of(std::begin(kApiPrefixes), std::end(kApiPrefixes),
                     [path](std::string_view prefix) { return path.starts_with(prefix); });
}

bool HasMethod(std::string_view methods, std::string_view method) {
  while (!methods.empty()) {
    const size_t end = std::min(methods.find(' '), methods.size());
    if (methods.substr(0, end) == method) return true;
    methods.remove_prefix(std::min(end + 1, methods.size()));
  }
  return false;
}

bool Fits(const Route& route, std::string_view path, std::string_view& rest) {
  if (!route.path.ends_with('*')) return route.path == path;
  const std::string_view prefix = route.path.substr(0, route.path.size() - 1);
  if (!path.starts_with(prefix)) return false;
  rest = path.substr(prefix.size());
  if (route.handler == Handler::kPage) return !IsApiPath(path);
  // A model's name may be percent-encoded; it is not used as a path.
  return !rest.empty() && (route.handler == Handler::kModel || IsPlainPath(path));
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string Shown(std::string_view text) { return SanitizeForTerminal(text.substr(0, 120)); }

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

StatusOr<Match> FindRoute(std::string_view method, std::string_view target) {
  Match match;
  const size_t question = std::min(target.find('?'), target.size());
  match.path = target.substr(0, question);
  match.query = target.substr(std::min(question + 1, target.size()));
  bool known = false;
  for (const Route& route : kRoutes) {
    if (!Fits(route, match.path, match.rest)) continue;
    known = true;
    if (!HasMethod(route.methods, method)) continue;
    match.route = &route;
    return match;
  }
  if (known) {
    return BadRequest("method_not_allowed",
                      fmt::format("{} is not a method of {}", Shown(method), Shown(match.path)),
                      fmt::format("It takes {}.", AllowedMethods(target)));
  }
  return MakeStatus(
      StatusCode::kNotFound, fmt::format("there is no {} here", Shown(match.path)),
      {.code = "unknown_route", .next_step = "The routes are under /v1/ (OpenAI's) and /api/."});
}

std::string AllowedMethods(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  std::string methods;
  for (const Route& route : kRoutes) {
    std::string_view rest;
    if (!Fits(route, path, rest)) continue;
    for (const std::string_view method : {"GET", "HEAD", "POST"}) {
      if (!HasMethod(route.methods, method) || methods.find(method) != methods.npos) continue;
      methods += methods.empty() ? "" : ", ";
      methods += method;
    }
  }
  return methods;
}

bool IsPlainPath(std::string_view path) {
  constexpr std::string_view kMarks = "-_.~/";
  const bool plain = std::all_of(path.begin(), path.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || kMarks.find(c) != kMarks.npos;
  });
  return plain && path.starts_with('/') && !path.ends_with('/') && path.find("//") == path.npos &&
         path.find("/.") == path.npos;
}

bool PercentDecode(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    out += c;
  }
  return true;
}

std::string QueryValue(std::string_view query, std::string_view name) {
  std::string value;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      if (!PercentDecode(pair.substr(name.size() + 1), value)) value.clear();
      break;
    }
  }
  return value;
}

}  // namespace llmd::gateway
