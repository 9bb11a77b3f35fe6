#include "domain/names.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/hash.h"

namespace llmd {
namespace {

constexpr size_t kMaxIdPart = 96;
constexpr size_t kMaxPathBytes = 1024;
constexpr size_t kMaxPartBytes = 255;
constexpr int kMaxLevels = 32;
constexpr size_t kServerIdDigits = 12;

// Names that Windows gives to devices, in any folder and with any suffix.
constexpr std::array<std::string_view, 24> kDeviceNames = {
    "con",  "prn",  "aux",  "nul",  "com1", "com2", "com3",   "com4",
    "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",   "lpt3",
    "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "conin$", "conout$"};

bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool IsIdCharacter(char c) {
  return IsAsciiLetter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool IsControl(uint32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

// Characters that reorder the text around them: a name can look like another with their help.
bool IsDirectional(uint32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F;
}

// Why a character may not be in a path; empty when it may.
std::string_view CharacterFault(std::string_view path) {
  for (size_t at = 0; at < path.size();) {
    const CodePoint point = DecodeUtf8(path, at);
    if (point.length == 0) return "it is not valid UTF-8";
    if (IsControl(point.value)) return "it has a control character";
    if (IsDirectional(point.value)) return "it has a character that reorders text";
    if (point.value == '\\') return "it has a backslash";
    at += point.length;
  }
  return {};
}

bool IsDeviceName(std::string_view part) {
  std::string stem = ToLower(part.substr(0, part.find('.')));
  while (!stem.empty() && stem.back() == ' ') stem.pop_back();
  return std::find(kDeviceNames.begin(), kDeviceNames.end(), stem) != kDeviceNames.end();
}

std::string_view PartFault(std::string_view part) {
  if (part.empty()) return "it is absolute or has an empty part";
  if (part == "." || part == "..") return "it has a '.' or '..' part";
  if (part == "~") return "it has a '~' part";
  if (part.size() > kMaxPartBytes) return "it has a part of more than 255 bytes";
  if (part.back() == '.' || part.back() == ' ')
    return "it has a part that ends with '.' or a space";
  if (part.size() >= 2 && IsAsciiLetter(part[0]) && part[1] == ':') return "it names a drive";
  if (IsDeviceName(part)) return "it has a part that is a reserved device name";
  return {};
}

std::string_view PathFault(std::string_view path) {
  if (path.empty()) return "it is empty";
  if (path.size() > kMaxPathBytes) return "it has more than 1024 bytes";
  if (const std::string_view fault = CharacterFault(path); !fault.empty()) return fault;
  int levels = 0;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view fault = PartFault(path.substr(begin, end - begin));
    if (!fault.empty()) return fault;
    if (++levels > kMaxLevels) return "it is more than 32 levels deep";
    begin = end + 1;
  }
  return {};
}

std::string_view IdPartFault(std::string_view part) {
  if (part.empty()) return "a part of it is empty";
  if (part.size() > kMaxIdPart) return "a part of it has more than 96 characters";
  if (!std::all_of(part.begin(), part.end(), IsIdCharacter)) {
    return "only letters, digits, '.', '_' and '-' are allowed";
  }
  for (const char end : {part.front(), part.back()}) {
    if (end == '.' || end == '-') return "a part of it begins or ends with '.' or '-'";
  }
  if (part.find("--") != std::string_view::npos || part.find("..") != std::string_view::npos) {
    return "'--' and '..' are not allowed";
  }
  if (part.ends_with(".git")) return "it ends with '.git'";
  return {};
}

std::string_view IdFault(std::string_view id) {
  const size_t slash = id.find('/');
  if (slash == std::string_view::npos) return IdPartFault(id);
  const std::string_view name = id.substr(slash + 1);
  if (name.find('/') != std::string_view::npos) return "it has more than one '/'";
  const std::string_view fault = IdPartFault(id.substr(0, slash));
  return fault.empty() ? IdPartFault(name) : fault;
}

// For messages: whole names from outside may be long and hostile.
std::string Excerpt(std::string_view text) {
  constexpr size_t kShown = 120;
  const std::string shown = SanitizeForTerminal(text.substr(0, kShown));
  return text.size() > kShown ? shown + "..." : shown;
}

}  // namespace

Status ValidateRepoId(std::string_view repo_id) {
  const std::string_view fault = IdFault(repo_id);
  if (fault.empty()) return OkStatus();
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("'{}' is not a repository id: {}", Excerpt(repo_id), fault),
                    {.code = "invalid_repository_id",
                     .next_step = "Write it as on its page: organisation/name."});
}

Status ValidateRepoPath(std::string_view path) {
  const std::string_view fault = PathFault(path);
  if (fault.empty()) return OkStatus();
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("the file name '{}' is unsafe: {}", Excerpt(path), fault),
                    {.code = "unsafe_path", .next_step = "Do not install this repository."});
}

std::string FolderNameFor(std::string_view repo_id) {
  std::string folder(repo_id);
  std::replace(folder.begin(), folder.end(), '/', '_');
  return folder;
}

std::string OtherFolderNameFor(std::string_view repo_id) {
  return FolderNameFor(repo_id) + "-" + Sha256Hex(repo_id).substr(0, 6);
}

std::string ServerIdFor(std::string_view folder_name) {
  return Sha256Hex(folder_name).substr(0, kServerIdDigits);
}

std::string SanitizeForTerminal(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeUtf8(text, at);
    if (point.length == 0) {
      ++at;
      continue;
    }
    if (point.value == '\n' || point.value == '\t') {
      clean += ' ';
    } else if (!IsControl(point.value) && !IsDirectional(point.value)) {
      clean += text.substr(at, point.length);
    }
    at += point.length;
  }
  return clean;
}

std::string_view RequirementName(std::string_view requirement) {
  return requirement.substr(0, requirement.find_first_of(" [<>=!~;@"));
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace llmd
