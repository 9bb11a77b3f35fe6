// Turns the Hub's refusals into typed errors with a sentence and a next step. Pure.
#pragma once

#include <string>

#include "base/status.h"
#include "hub/http_transport.h"

namespace llmd::hub {

// What was asked for, for the message.
struct Subject {
  std::string endpoint;
  std::string repo_id;
  std::string revision;  // empty when it does not matter
  std::string path;      // empty when it is not about one file
  bool has_token = false;
};

// For an answer that is neither 2xx nor 3xx.
Status ErrorFromAnswer(const HttpResponse& response, const Subject& subject);

// An answer that makes no sense: kUnavailable, code "hub_error".
Status HubError(std::string_view message);

}  // namespace llmd::hub
