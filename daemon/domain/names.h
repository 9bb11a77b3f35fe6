// Names from outside: repository ids, paths inside a repository, folder names. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "base/utf8.h"

namespace llmd {

// Checks `org/name` (or a bare `name`) against the Hub's grammar: 1..96 characters of
// [A-Za-z0-9._-] a part, no leading or trailing '.' or '-', no "--" or "..", no ".git" at the end.
// kInvalidArgument, code "invalid_repository_id".
Status ValidateRepoId(std::string_view repo_id);

// Checks a path inside a repository, under POSIX and Windows rules at once: relative,
// '/'-separated, no empty, "." or ".." part, no NUL, control character, backslash or drive, valid
// UTF-8, parts up to 255 bytes, 1,024 bytes and 32 levels in all, no reserved Windows name, no
// trailing dot or space. kInvalidArgument, code "unsafe_path".
Status ValidateRepoPath(std::string_view path);

// `org/name` -> `org_name`; a bare name stays. For ids that ValidateRepoId accepts.
std::string FolderNameFor(std::string_view repo_id);
// The same with `-<6 hex>` appended, for an id whose plain folder is another model's.
std::string OtherFolderNameFor(std::string_view repo_id);

// The first 12 hex digits of the SHA-256 of the folder's name: the server's id below run/servers.
std::string ServerIdFor(std::string_view folder_name);

// "transformers" of "transformers>=5; sys_platform == 'linux'": what a requirement of Python names.
std::string_view RequirementName(std::string_view requirement);

// One line that is safe to show on a terminal: removes control characters, characters that reorder
// text and bytes that are not UTF-8; line breaks and tabs become spaces.
std::string SanitizeForTerminal(std::string_view text);

// ASCII lower case.
std::string ToLower(std::string_view text);

}  // namespace llmd
