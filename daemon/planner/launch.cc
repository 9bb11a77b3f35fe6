#include "planner/launch.h"

#include <algorithm>
#include <optional>

namespace llmd::planner {
namespace {

std::string_view FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

// The file that an engine opens, or the folder that a library loads from.
std::string WeightsPath(const Facts& facts, const Selection& selection) {
  const std::string main = MainFile(selection);
  if (selection.format == "gguf") return "model/" + main;
  const std::string_view folder = FolderOf(main);
  for (const char* root : {"config.json", "model_index.json", "modules.json"}) {
    if (folder.empty() || facts.inventory.Find(root) != nullptr) return "model";
  }
  return "model/" + std::string(folder);
}

bool IsPythonName(std::string_view text) {
  return !text.empty() && (text.front() < '0' || text.front() > '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.';
         });
}

std::vector<std::string> Routes(const EngineSpec& engine, const ServedKind& served) {
  std::vector<std::string> routes = served.routes;
  routes.insert(routes.end(), {"GET /health", "GET /v1/models"});
  const bool agent_serves = engine.argv.empty();
  if (agent_serves) routes.insert(routes.end(), {"POST /api/generate", "GET /api/model/info"});
  return routes;
}

}  // namespace

Launch MakeLaunch(const Subject& subject, const EngineFit& fit, const MemoryEstimate& memory,
                  const std::string& name) {
  const EngineSpec& engine = *fit.engine;
  const bool gguf = fit.selection.format == "gguf";
  Launch launch{.engine = engine.id,
                .bind = engine.bind,
                .argv = engine.argv,
                .environment = engine.environment,
                .routes = Routes(engine, *fit.served),
                .ready_timeout_seconds = engine.ready_timeout_seconds,
                .weights = WeightsPath(subject.facts, fit.selection),
                .loader = gguf ? engine.id : subject.profile.loader.value_or(""),
                .kind = subject.profile.kind,
                .name = name,
                .context = memory.context,
                .parallel = memory.parallel,
                .threads = std::max(subject.machine.cpus, 1),
                .remote_code = !gguf && subject.profile.requirements.remote_code,
                .offload = memory.offload};
  if (fit.load_quantization != nullptr) launch.quantization = fit.load_quantization->name;
  if (!launch.argv.empty()) {
    launch.argv.insert(launch.argv.end(), fit.served->arguments.begin(),
                       fit.served->arguments.end());
    if (const std::string projector = ProjectorFile(fit.selection); gguf && !projector.empty()) {
      launch.argv.insert(launch.argv.end(), {"--mmproj", "{folder}/model/" + projector});
    }
  }
  // The estimate says that it does not fit the GPU: it is kept from trying.
  if (subject.machine.HasCuda() && !memory.on_gpu) launch.environment["CUDA_VISIBLE_DEVICES"] = "";
  return launch;
}

std::vector<std::string> SmokeArgv(const EngineSpec& engine, const ModelProfile& profile) {
  std::vector<std::string> argv;
  for (const std::string& argument : engine.smoke) {
    std::optional<std::string> value;
    if (argument == "{loader}") value = profile.loader.value_or("");
    if (argument == "{architecture}") value = profile.architecture.value_or("");
    if (!value) {
      argv.push_back(argument);
    } else if (IsPythonName(*value)) {
      argv.push_back(*value);
    }
  }
  return argv;
}

}  // namespace llmd::planner
