// The JSON form of model_info.json (agent/PROTOCOL.md describes it). Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "scaffold/scaffold.h"

namespace llmd::scaffold {

inline constexpr char kModelInfoFile[] = "model_info.json";

// kInvalidArgument (code "not_utf8") when a text in it is not UTF-8.
StatusOr<std::string> FormatModelInfo(const ModelInfo& info);

// Checks all of it, as a folder may come from anywhere: kDataLoss, code "broken_model_info"; of a
// newer llmd kFailedPrecondition, code "newer_model_info". `source` names it in errors.
StatusOr<ModelInfo> ParseModelInfo(std::string_view text, std::string_view source);

}  // namespace llmd::scaffold
