// Reads the Hub's JSON answers into our types. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "domain/facts.h"
#include "domain/file_inventory.h"

namespace llmd::hub {

bool IsHex(std::string_view text, size_t length);

// GET /api/models/{id}/revision/{rev}. kUnavailable (code "hub_error") when it makes no sense,
// kPermissionDenied (code "repository_disabled").
StatusOr<RepositoryInfo> ParseModelInfo(const nlohmann::json& json, std::string_view asked_id);

// Appends the files of one page of GET /api/models/{id}/tree/{sha}. kInvalidArgument (code
// "unsafe_path"), kResourceExhausted past kMaxInventoryEntries.
Status AppendTreePage(const nlohmann::json& page, std::vector<FileEntry>& files);

// Sorts and checks that no name stands twice or is a folder of another.
StatusOr<FileInventory> MakeInventory(std::vector<FileEntry> files);

}  // namespace llmd::hub
