#include <nlohmann/json.hpp>

#include "domain/json_fields.h"
#include "domain/plan.h"

namespace llmd {

nlohmann::json LaunchToJson(const Launch& launch) {
  return {{"engine", launch.engine},
          {"bind", launch.bind},
          {"argv", launch.argv},
          {"environment", launch.environment},
          {"routes", launch.routes},
          {"ready_timeout_seconds", launch.ready_timeout_seconds},
          {"weights", launch.weights},
          {"loader", launch.loader},
          {"kind", launch.kind},
          {"name", launch.name},
          {"context", launch.context},
          {"parallel", launch.parallel},
          {"threads", launch.threads},
          {"quantization", launch.quantization},
          {"remote_code", launch.remote_code},
          {"offload", launch.offload}};
}

StatusOr<Launch> LaunchFromJson(const nlohmann::json& json) {
  Launch launch;
  JsonFields fields(json, "launch");
  fields.Read("engine", launch.engine);
  fields.Read("bind", launch.bind);
  fields.Read("argv", launch.argv);
  fields.Read("environment", launch.environment);
  fields.Read("routes", launch.routes);
  fields.Read("ready_timeout_seconds", launch.ready_timeout_seconds);
  fields.Read("weights", launch.weights);
  fields.Read("loader", launch.loader);
  fields.Read("kind", launch.kind);
  fields.Read("name", launch.name);
  fields.Read("context", launch.context);
  fields.Read("parallel", launch.parallel);
  fields.Read("threads", launch.threads);
  fields.Read("quantization", launch.quantization);
  fields.Read("remote_code", launch.remote_code);
  fields.Read("offload", launch.offload);
  LLMD_RETURN_IF_ERROR(fields.status());
  return launch;
}

}  // namespace llmd
