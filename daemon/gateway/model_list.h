// Installed models as JSON: OpenAI's list, and what /api/model/info tells. May take long with
// thousands of models; any thread.
#pragma once

#include <string>

#include "domain/states.h"
#include "serving/model_router.h"

namespace llmd::gateway {

// {"object": "list", "data": [...]}: only what can be served.
std::string ModelList(serving::ModelRouter& router);

// One of the list's entries.
std::string ModelEntry(const ModelRecord& record);

// A model with its profile and its server's state. An empty name: the only model there is, else
// kInvalidArgument (code "model_missing").
StatusOr<std::string> ModelInfo(serving::ModelRouter& router, const std::string& name);

}  // namespace llmd::gateway
