#include "scaffold/scaffold.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/file.h"
#include "scaffold/model_info.h"

namespace llmd::scaffold {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostTemplate = 1u << 20;
constexpr size_t kMostInfo = 64u << 20;
constexpr mode_t kProgram = 0755;
constexpr mode_t kText = 0644;

struct Script {
  std::string_view name;
  std::string_view place;  // below the model's folder
};
constexpr std::array kScripts = {
    Script{"start.sh", "start.sh"},
    Script{"train.sh", "train.sh"},
    Script{"serve_api.sh", "scripts/serve_api.sh"},
    Script{"serve_ui.sh", "scripts/serve_ui.sh"},
    Script{"infer.py", "scripts/infer.py"},
};

Status CopyTemplate(const fs::path& from, const fs::path& to, mode_t mode) {
  LLMD_ASSIGN_OR_RETURN(const std::string content, ReadFile(from, kMostTemplate));
  return WriteFileAtomically(to, content, mode);
}

// A plain file name, and none of those that every model has.
bool IsExtraName(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const bool ours =
      std::ranges::any_of(kScripts, [name](const Script& script) { return script.name == name; });
  return !name.empty() && name.front() != '.' && !ours &&
         name.find_first_not_of(kAllowed) == name.npos;
}

Status UnknownScript(const std::string& name) {
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("there is no script template '{}'", name),
                    {.code = "unknown_script", .next_step = "Correct the handler that names it."});
}

Status WriteScripts(const fs::path& folder, const fs::path& templates,
                    const std::vector<std::string>& extra) {
  for (const Script& script : kScripts) {
    LLMD_RETURN_IF_ERROR(CopyTemplate(templates / script.name, folder / script.place, kProgram));
  }
  for (const std::string& name : extra) {
    std::error_code error;
    if (!IsExtraName(name) || !fs::is_regular_file(templates / name, error)) {
      return UnknownScript(name);
    }
    LLMD_RETURN_IF_ERROR(CopyTemplate(templates / name, folder / "scripts" / name, kProgram));
  }
  return OkStatus();
}

}  // namespace

Status WriteModelFolder(const fs::path& folder, const fs::path& templates_dir,
                        const ModelInfo& info, const std::vector<std::string>& extra_scripts) {
  LLMD_ASSIGN_OR_RETURN(const std::string text, FormatModelInfo(info));
  for (const char* name : {"scripts", "logs"}) LLMD_RETURN_IF_ERROR(MakeFolders(folder / name));
  LLMD_RETURN_IF_ERROR(WriteScripts(folder, templates_dir, extra_scripts));
  std::error_code error;
  if (!fs::exists(fs::symlink_status(folder / "config.yaml", error))) {
    LLMD_RETURN_IF_ERROR(
        CopyTemplate(templates_dir / "config.yaml", folder / "config.yaml", kText));
  }
  return WriteFileAtomically(folder / kModelInfoFile, text, kText);
}

StatusOr<ModelInfo> ReadModelInfo(const fs::path& folder) {
  const fs::path file = folder / kModelInfoFile;
  LLMD_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMostInfo));
  return ParseModelInfo(text, file.string());
}

}  // namespace llmd::scaffold
