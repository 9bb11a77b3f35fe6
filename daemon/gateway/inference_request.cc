#include "gateway/inference_request.h"

#include <algorithm>
#include <cstdlib>

#include "domain/names.h"
#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

constexpr size_t kMaxName = 256;
constexpr char kModel[] = "model";
constexpr char kNextStep[] = "Name an installed model; GET /v1/models lists them.";

struct Cap {
  std::string_view key;
  double most;
  bool elements;  // of an array, rather than a number
};
constexpr Cap kCaps[] = {
    {"n", 16, false},         {"best_of", 16, false},   {"num_return_sequences", 16, false},
    {"num_beams", 16, false}, {"logprobs", 100, false}, {"top_logprobs", 100, false},
    {"n_probs", 100, false},  {"stop", 64, true},
};

constexpr std::string_view kDropped[] = {"chat_template", "chat_template_kwargs", "media_io_kwargs",
                                         "n_discard"};

// What a cap is compared with.
double Amount(const Cap& cap, const JsonMember& member) {
  if (cap.elements) return static_cast<double>(CountElements(member.value));
  // Some readers take "7" for 7.
  const std::string digits(member.value.substr(member.value.starts_with('"') ? 1 : 0, 40));
  return std::strtod(digits.c_str(), nullptr);
}

bool IsDropped(const JsonMember& member) {
  return std::find(std::begin(kDropped), std::end(kDropped), member.key) != std::end(kDropped);
}

StatusOr<ModelField> Named(std::optional<std::string> name, ModelField field) {
  if (!name || name->empty()) {
    return BadRequest("invalid_model_name", "'model' is not a plain string of up to 256 bytes",
                      kNextStep);
  }
  field.name = *std::move(name);
  return field;
}

Status Missing() { return BadRequest("model_missing", "the request names no model", kNextStep); }

}  // namespace

const JsonMember* FindMember(const std::vector<JsonMember>& members, std::string_view key) {
  const auto at = std::find_if(members.begin(), members.end(),
                               [key](const JsonMember& member) { return member.key == key; });
  return at == members.end() ? nullptr : &*at;
}

std::optional<bool> FindFlag(const std::vector<JsonMember>& members, std::string_view key) {
  const JsonMember* member = FindMember(members, key);
  if (member == nullptr) return std::nullopt;
  if (member->value == "true") return true;
  if (member->value == "false") return false;
  return std::nullopt;
}

StatusOr<ModelField> FindModel(const std::vector<JsonMember>& members) {
  const JsonMember* member = FindMember(members, kModel);
  if (member == nullptr) return Missing();
  return Named(
      DecodeString(member->value, kMaxName),
      {.begin = member->value_range.begin, .end = member->value_range.end, .quoted = true});
}

StatusOr<ModelField> FindModel(const MultipartScan& form) {
  if (!form.found()) return Missing();
  const std::string& value = form.found()->value;
  const bool control = std::any_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  const bool plain = !control && value.size() <= kMaxName && IsValidUtf8(value);
  std::optional<std::string> name;
  if (plain) name = value;
  return Named(std::move(name), {.begin = form.found()->begin, .end = form.found()->end});
}

Status CheckParameters(const std::vector<JsonMember>& members) {
  for (const Cap& cap : kCaps) {
    const JsonMember* member = FindMember(members, cap.key);
    if (member == nullptr || !(Amount(cap, *member) > cap.most)) continue;
    return BadRequest("parameter_too_large",
                      fmt::format("'{}' may be at most {}", cap.key, cap.most),
                      "Ask for less in one request.");
  }
  return OkStatus();
}

std::string RewriteJson(RequestBody& body, const std::vector<JsonMember>& members,
                        const std::string& served_name) {
  std::string dropped;
  for (size_t i = 0; i < members.size(); ++i) {
    const JsonMember& member = members[i];
    if (member.key == kModel && !served_name.empty()) {
      const std::string quoted = QuoteString(served_name);
      if (quoted != member.value) {
        body.Edit(member.value_range.begin, member.value_range.end, quoted);
      }
    }
    const size_t first = i;
    for (; i < members.size() && IsDropped(members[i]); ++i) {
      dropped += dropped.empty() ? "" : ", ";
      dropped += members[i].key;
    }
    if (i == first) continue;
    // The comma behind goes with them; behind the last member there is none, so the one before.
    if (i < members.size()) {
      body.Edit(members[first].range.begin, members[i].range.begin, "");
    } else {
      body.Edit(first == 0 ? members[first].range.begin : members[first - 1].range.end,
                members.back().range.end, "");
    }
    --i;
  }
  return dropped;
}

}  // namespace llmd::gateway
