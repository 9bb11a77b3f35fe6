// Folders that only this user may enter. Thread-safe.
#pragma once

#include <filesystem>

#include "base/status.h"

namespace llmd::platform {

// OK when `folder` is a real folder of this user that nobody else may enter. kPermissionDenied
// (code "unsafe_folder") when it is a link, somebody else's or open to others; kNotFound.
Status CheckPrivateFolder(const std::filesystem::path& folder);

// Makes it (mode 0700, parents as well) or closes it to others when it is ours; then checks it.
Status MakePrivateFolder(const std::filesystem::path& folder);

}  // namespace llmd::platform
