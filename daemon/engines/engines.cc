#include "engines/engines.h"

#include <algorithm>

#include "domain/spec_reader.h"

namespace llmd::engines {
namespace {

StatusOr<ServedKind> ParseServed(const std::string& file, const YamlNode& node) {
  SpecReader reader(
      file, node,
      {"kind", "when", "routes", "arguments", "cache", "widens_half", "activation_bytes"});
  ServedKind served;
  if (reader.Require("kind")) reader.Read("kind", served.kind);
  reader.Read("when", served.when);
  reader.Read("routes", served.routes);
  reader.Read("arguments", served.arguments);
  reader.Read("cache", served.cache);
  reader.Read("widens_half", served.widens_half);
  reader.Read("activation_bytes", served.activation_bytes);
  if (!reader.status().ok()) return reader.status();
  return served;
}

StatusOr<ServedQuantization> ParseQuantization(const std::string& file, const YamlNode& node) {
  ServedQuantization quantization;
  if (node.IsScalar()) {
    quantization.name = node.scalar;
    return quantization;
  }
  SpecReader reader(file, node, {"name", "when", "refusal", "unpacked"});
  if (reader.Require("name")) reader.Read("name", quantization.name);
  reader.Read("when", quantization.when);
  reader.Read("refusal", quantization.refusal);
  reader.Read("unpacked", quantization.unpacked);
  const bool partly = reader.Find("when") != nullptr;
  if (partly && !quantization.unpacked) reader.Require("refusal");
  if (!reader.status().ok()) return reader.status();
  return quantization;
}

StatusOr<LoadQuantization> ParseLoadQuantization(const std::string& file, const YamlNode& node) {
  SpecReader reader(file, node, {"name", "when", "refusal", "bytes_per_parameter", "packages"});
  LoadQuantization quantization;
  if (reader.Require("name")) reader.Read("name", quantization.name);
  reader.CheckOneOf("name", {"4bit", "8bit", "fp8"});
  reader.Read("when", quantization.when);
  if (reader.Find("when") != nullptr) reader.Require("refusal");
  reader.Read("refusal", quantization.refusal);
  if (reader.Require("bytes_per_parameter")) {
    reader.Read("bytes_per_parameter", quantization.bytes_per_parameter);
  }
  reader.Read("packages", quantization.packages);
  if (!reader.status().ok()) return reader.status();
  return quantization;
}

Status ReadLaunch(const std::string& file, const YamlNode& node, EngineSpec& engine) {
  SpecReader reader(file, node, {"bind", "argv", "environment", "ready_timeout_seconds"});
  reader.Read("bind", engine.bind);
  reader.CheckOneOf("bind", {"inherit", "unix", "tcp"});
  reader.Read("argv", engine.argv);
  reader.Read("environment", engine.environment);
  reader.Read("ready_timeout_seconds", engine.ready_timeout_seconds);
  return reader.status();
}

Status ReadMemory(const std::string& file, const YamlNode& node, EngineSpec& engine) {
  SpecReader reader(
      file, node,
      {"process_bytes", "weights_factor", "cpu_element_bytes", "gpu_element_bytes", "batch",
       "batch_tokens", "logits_for_batch", "offload", "default_context", "default_parallel"});
  reader.Read("process_bytes", engine.process_bytes);
  reader.Read("weights_factor", engine.weights_factor);
  reader.Read("cpu_element_bytes", engine.cpu_element_bytes);
  reader.Read("gpu_element_bytes", engine.gpu_element_bytes);
  reader.Read("batch", engine.batch);
  reader.Read("batch_tokens", engine.batch_tokens);
  reader.Read("offload", engine.offload);
  reader.Read("logits_for_batch", engine.logits_for_batch);
  reader.Read("default_context", engine.default_context);
  reader.Read("default_parallel", engine.default_parallel);
  return reader.status();
}

StatusOr<EngineSpec> ParseEngine(const SpecFile& file) {
  SpecReader reader(file.name, file.root,
                    {"schema", "id", "priority", "not_driven", "os", "gpu", "weights_on_gpu",
                     "formats", "serves", "quantizations", "load_quantizations", "remote_code",
                     "packages", "smoke", "environment_bytes", "launch", "memory"});
  EngineSpec engine{.file = file.name};
  LLMD_ASSIGN_OR_RETURN(engine.id, ReadSpecId(reader));
  reader.Read("priority", engine.priority);
  reader.Read("not_driven", engine.not_driven);
  reader.Read("os", engine.os);
  reader.CheckOneOf("os", {"linux", "macos"});
  reader.Read("gpu", engine.gpu);
  reader.CheckOneOf("gpu", {"cuda", "metal"});
  reader.Read("weights_on_gpu", engine.weights_on_gpu);
  reader.CheckOneOf("weights_on_gpu", {"cuda", "metal"});
  reader.Read("formats", engine.formats);
  reader.Require("serves");
  reader.ReadList("serves", &ParseServed, engine.serves);
  reader.Require("quantizations");
  reader.ReadList("quantizations", &ParseQuantization, engine.quantizations);
  reader.ReadList("load_quantizations", &ParseLoadQuantization, engine.load_quantizations);
  reader.Read("remote_code", engine.remote_code);
  reader.Read("packages", engine.packages);
  reader.Read("smoke", engine.smoke);
  reader.Read("environment_bytes", engine.environment_bytes);
  if (const YamlNode* launch = reader.Find("launch")) {
    reader.Merge(ReadLaunch(file.name, *launch, engine));
  }
  if (const YamlNode* memory = reader.Find("memory")) {
    reader.Merge(ReadMemory(file.name, *memory, engine));
  }
  if (!reader.status().ok()) return reader.status();
  return engine;
}

}  // namespace

StatusOr<std::vector<EngineSpec>> LoadEngines(const std::filesystem::path& dir,
                                              const std::filesystem::path& user_dir,
                                              std::vector<std::string>& user_errors) {
  LLMD_ASSIGN_OR_RETURN(
      std::vector<EngineSpec> engines,
      LoadSpecs<EngineSpec>(dir, user_dir, SpecKind::kEngine, user_errors, &ParseEngine));
  std::stable_sort(engines.begin(), engines.end(), [](const EngineSpec& a, const EngineSpec& b) {
    return a.priority > b.priority;
  });
  return engines;
}

}  // namespace llmd::engines
