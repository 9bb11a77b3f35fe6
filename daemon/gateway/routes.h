// The gateway's routes: one table. Which handler a request goes to, which methods and bodies it
// takes, and what it wants of the caller. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::gateway {

enum class Handler {
  kModels,     // GET /v1/models
  kModel,      // GET /v1/models/{name}
  kModelInfo,  // GET, POST /api/model/info
  kGenerate,   // POST /api/generate
  kProxy,  // POST /v1/..., to the model server named in the body, if its allow-list has the route
  kLive,
  kReady,
  kMetrics,
  kGrpcWeb,  // POST /llmd.v1.Service/Method
  kPage      // the dashboard's files
};

struct Route {
  std::string_view methods;  // "GET HEAD"
  std::string_view path;     // exact, or a prefix when it ends with '*'
  Handler handler;
  bool open_off_loopback;  // reachable without the token even there
};

// All routes, the first that fits wins.
std::span<const Route> Routes();

struct Match {
  const Route* route = nullptr;
  std::string_view path;   // without the query
  std::string_view query;  // without '?'
  std::string_view rest;   // what the '*' stands for
};

// kNotFound (code "unknown_route"), kInvalidArgument (code "method_not_allowed"). A path that is
// not in its plain form (encoded, doubled or dotted parts, a ';') has no route but the pages'.
StatusOr<Match> FindRoute(std::string_view method, std::string_view target);

// The methods that some route takes at this path: "GET, HEAD". Empty when there is none.
std::string AllowedMethods(std::string_view target);

// Letters, digits and -_.~/ in parts that are neither empty nor dots.
bool IsPlainPath(std::string_view path);

// %XX decoded; false when an escape is broken or yields a control character.
bool PercentDecode(std::string_view text, std::string& out);

// A query's value, decoded; empty when the name is not there.
std::string QueryValue(std::string_view query, std::string_view name);

}  // namespace llmd::gateway
