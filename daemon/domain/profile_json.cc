#include <algorithm>
#include <nlohmann/json.hpp>

#include "domain/json_fields.h"
#include "domain/profile.h"

namespace llmd {
namespace {

using nlohmann::json;

template <typename T>
json OrNull(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

template <typename Item, typename Function>
json ListOf(const std::vector<Item>& items, Function to_json) {
  json list = json::array();
  for (const Item& item : items) list.push_back(to_json(item));
  return list;
}

json ToJson(const ModelProfile::Component& component) {
  return {{"name", component.name}, {"class", component.class_name}};
}
json ToJson(const ModelProfile::Requirements& requirements) {
  return {{"packages", requirements.packages},
          {"special", requirements.special},
          {"remote_code", requirements.remote_code}};
}
json ToJson(const ModelProfile::Backend& backend) {
  return {{"name", backend.name}, {"usable", backend.usable}, {"reason", backend.reason}};
}
json ToJson(const ModelProfile::Memory& memory) {
  return {{"weights_bytes", memory.weights_bytes},
          {"kv_bytes_per_token", memory.kv_bytes_per_token},
          {"required_bytes", memory.required_bytes},
          {"fits", memory.fits}};
}
json ToJson(const ModelProfile::SkippedFile& file) {
  return {{"path", file.path}, {"why", file.why}};
}
json ToJson(const ModelProfile::Download& download) {
  return {{"bytes", download.bytes},
          {"files", download.files},
          {"skipped", ListOf(download.skipped, [](const auto& file) { return ToJson(file); })}};
}
json ToJson(const ModelProfile::Trainable& trainable) {
  return {{"lora", trainable.lora}, {"reason", trainable.reason}};
}
json ToJson(const ModelProfile::Variant& variant) {
  return {{"name", variant.name}, {"files", variant.files}, {"bytes", variant.bytes}};
}
json ToJson(const ModelProfile::Evidence& evidence) {
  return {{"detector", evidence.detector},
          {"matched", evidence.matched},
          {"because", evidence.because}};
}

constexpr auto kItemToJson = [](const auto& item) { return ToJson(item); };

void ReadMemory(JsonFields& fields, ModelProfile::Memory& memory) {
  fields.Read("weights_bytes", memory.weights_bytes);
  fields.Read("kv_bytes_per_token", memory.kv_bytes_per_token);
  fields.Read("required_bytes", memory.required_bytes);
  fields.Read("fits", memory.fits);
}

void ReadDownload(JsonFields& fields, ModelProfile::Download& download) {
  fields.Read("bytes", download.bytes);
  fields.Read("files", download.files);
  fields.ReadList("skipped", download.skipped, [](JsonFields& item, auto& file) {
    item.Read("path", file.path);
    item.Read("why", file.why);
  });
}

// The members that are objects.
void ReadGroups(JsonFields& fields, ModelProfile& profile) {
  fields.ReadObject("requirements", [&](JsonFields& group) {
    group.Read("packages", profile.requirements.packages);
    group.Read("special", profile.requirements.special);
    group.Read("remote_code", profile.requirements.remote_code);
  });
  fields.ReadObject("memory", [&](JsonFields& group) { ReadMemory(group, profile.memory); });
  fields.ReadObject("download", [&](JsonFields& group) { ReadDownload(group, profile.download); });
  fields.ReadObject("trainable", [&](JsonFields& group) {
    group.Read("lora", profile.trainable.lora);
    group.Read("reason", profile.trainable.reason);
  });
}

// The members that are lists of objects.
void ReadLists(JsonFields& fields, ModelProfile& profile) {
  fields.ReadList("components", profile.components, [](JsonFields& item, auto& component) {
    item.Read("name", component.name);
    item.Read("class", component.class_name);
  });
  fields.ReadList("backends", profile.backends, [](JsonFields& item, auto& backend) {
    item.Read("name", backend.name);
    item.Read("usable", backend.usable);
    item.Read("reason", backend.reason);
  });
  fields.ReadList("variants", profile.variants, [](JsonFields& item, auto& variant) {
    item.Read("name", variant.name);
    item.Read("files", variant.files);
    item.Read("bytes", variant.bytes);
  });
  fields.ReadList("evidence", profile.evidence, [](JsonFields& item, auto& evidence) {
    item.Read("detector", evidence.detector);
    item.Read("matched", evidence.matched);
    item.Read("because", evidence.because);
  });
}

void ReadScalars(JsonFields& fields, ModelProfile& profile) {
  fields.Read("schema", profile.schema);
  fields.Read("repo_id", profile.repo_id);
  fields.Read("revision", profile.revision);
  fields.Read("source", profile.source);
  fields.Read("detector", profile.detector);
  fields.Read("handler", profile.handler);
  fields.Read("kind", profile.kind);
  fields.Read("architecture", profile.architecture);
  fields.Read("model_type", profile.model_type);
  fields.Read("loader", profile.loader);
  fields.Read("parameters", profile.parameters);
  fields.Read("dtype", profile.dtype);
  fields.Read("quantization", profile.quantization);
  fields.Read("context_length", profile.context_length);
  fields.Read("capabilities", profile.capabilities);
  fields.Read("base_model", profile.base_model);
  fields.Read("license", profile.license);
  fields.Read("gated", profile.gated);
  fields.Read("supported", profile.supported);
  fields.Read("reasons", profile.reasons);
}

}  // namespace

bool ModelProfile::HasCapability(std::string_view name) const {
  return std::find(capabilities.begin(), capabilities.end(), name) != capabilities.end();
}

json ProfileToJson(const ModelProfile& profile) {
  return {{"schema", profile.schema},
          {"repo_id", profile.repo_id},
          {"revision", OrNull(profile.revision)},
          {"source", profile.source},
          {"detector", profile.detector},
          {"handler", profile.handler},
          {"kind", profile.kind},
          {"architecture", OrNull(profile.architecture)},
          {"model_type", OrNull(profile.model_type)},
          {"loader", OrNull(profile.loader)},
          {"components", ListOf(profile.components, kItemToJson)},
          {"parameters", OrNull(profile.parameters)},
          {"dtype", OrNull(profile.dtype)},
          {"quantization", profile.quantization},
          {"context_length", OrNull(profile.context_length)},
          {"capabilities", profile.capabilities},
          {"requirements", ToJson(profile.requirements)},
          {"backends", ListOf(profile.backends, kItemToJson)},
          {"memory", ToJson(profile.memory)},
          {"download", ToJson(profile.download)},
          {"trainable", ToJson(profile.trainable)},
          {"base_model", OrNull(profile.base_model)},
          {"variants", ListOf(profile.variants, kItemToJson)},
          {"license", OrNull(profile.license)},
          {"gated", profile.gated},
          {"supported", profile.supported},
          {"reasons", profile.reasons},
          {"evidence", ListOf(profile.evidence, kItemToJson)}};
}

StatusOr<ModelProfile> ProfileFromJson(const json& json) {
  ModelProfile profile;
  JsonFields fields(json, "profile");
  ReadScalars(fields, profile);
  ReadGroups(fields, profile);
  ReadLists(fields, profile);
  LLMD_RETURN_IF_ERROR(fields.status());
  return profile;
}

}  // namespace llmd
