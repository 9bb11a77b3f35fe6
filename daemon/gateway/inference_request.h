// Reads what the gateway must know of an inference request: the model's name. Refuses what one
// request must not ask of a machine. Pure functions over a body.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/body.h"
#include "gateway/json_scan.h"
#include "gateway/multipart_scan.h"

namespace llmd::gateway {

// Where the model's name stands in a body.
struct ModelField {
  std::string name;
  uint64_t begin = 0;
  uint64_t end = 0;
  bool quoted = false;  // a JSON string, with its quotes, rather than a form's plain text
};

// Codes "model_missing", "invalid_model_name".
StatusOr<ModelField> FindModel(const std::vector<JsonMember>& members);
StatusOr<ModelField> FindModel(const MultipartScan& form);

// kInvalidArgument (code "parameter_too_large") for more answers, alternatives or stop strings
// than a request may ask for.
Status CheckParameters(const std::vector<JsonMember>& members);

// Edits the body: the model server's own name for the model, and without the members that steer
// the server's templates and media loading, which are its operator's business. The names of those
// that were dropped, for the answer's head.
std::string RewriteJson(RequestBody& body, const std::vector<JsonMember>& members,
                        const std::string& served_name);

// A top-level flag; nothing when it is neither true nor false.
std::optional<bool> FindFlag(const std::vector<JsonMember>& members, std::string_view key);
const JsonMember* FindMember(const std::vector<JsonMember>& members, std::string_view key);

}  // namespace llmd::gateway
