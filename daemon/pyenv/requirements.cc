#include "pyenv/requirements.h"

#include <algorithm>
#include <cctype>

namespace llmd::pyenv {
namespace {

constexpr std::string_view kOwnLine =
    "# What this model's environment holds. llmd writes the first part anew at each build.";
constexpr std::string_view kUserLine = "# Yours: what stands below this line is kept.";
constexpr std::string_view kInputs = "# inputs: ";
constexpr std::string_view kTorch = "# torch: ";

template <typename Visit>
void ForEachLine(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

std::string UserPart(std::string_view existing) {
  std::string kept;
  bool ours = false;
  bool users = false;
  ForEachLine(existing, [&](std::string_view line) {
    if (users) kept.append(line).append("\n");
    ours = ours || line == kOwnLine;
    users = users || line == kUserLine;
  });
  if (ours || users) return kept;
  kept = existing;
  if (!kept.empty() && !kept.ends_with('\n')) kept += '\n';
  return kept;
}

bool IsOneRequirement(std::string_view package) {
  const bool printable =
      std::ranges::all_of(package, [](unsigned char c) { return c >= ' ' && c != 127; });
  return printable && !package.empty() && std::isalnum(static_cast<unsigned char>(package[0])) != 0;
}

// PEP 503: lower case, runs of ".-_" are one "-".
std::string ProjectOf(std::string_view line) {
  std::string name;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      name += static_cast<char>(std::tolower(byte));
    } else if (c == '-' || c == '_' || c == '.') {
      if (!name.ends_with('-')) name += '-';
    } else {
      break;
    }
  }
  return name;
}

}  // namespace

StatusOr<std::string> MergeRequirements(const std::vector<std::string>& packages,
                                        std::string_view existing) {
  std::string text = fmt::format("{}\n", kOwnLine);
  for (const std::string& package : packages) {
    if (!IsOneRequirement(package)) {
      return MakeStatus(
          StatusCode::kInvalidArgument, fmt::format("'{}' is not a requirement", package),
          {.code = "bad_requirement", .next_step = "Correct the rule that names this package."});
    }
    text += package + '\n';
  }
  text += fmt::format("{}\n", kUserLine);
  return text + UserPart(existing);
}

std::vector<std::string> RequestedProjects(std::string_view requirements) {
  std::vector<std::string> projects;
  ForEachLine(requirements, [&](std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line[0] == '#' || line[0] == '-') return;
    if (std::string project = ProjectOf(line); !project.empty()) {
      projects.push_back(std::move(project));
    }
  });
  return projects;
}

std::string WriteLock(const LockHeader& header, std::string_view pins) {
  std::string text =
      "# What .venv is built from. llmd resolves it anew when requirements.txt changes.\n";
  text += fmt::format("{}{}\n", kInputs, header.inputs);
  if (!header.torch.empty()) text += fmt::format("{}{}\n", kTorch, header.torch);
  return text + std::string(pins);
}

std::optional<LockHeader> ReadLockHeader(std::string_view lock) {
  LockHeader header;
  bool in_header = true;
  ForEachLine(lock, [&](std::string_view line) {
    in_header = in_header && line.starts_with('#');
    if (!in_header) return;
    if (line.starts_with(kInputs)) header.inputs = line.substr(kInputs.size());
    if (line.starts_with(kTorch)) header.torch = line.substr(kTorch.size());
  });
  if (header.inputs.empty()) return std::nullopt;
  return header;
}

}  // namespace llmd::pyenv
