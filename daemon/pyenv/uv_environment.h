// The environment that uv runs in: ours cut down, with the index settings of options and user.
// Addresses go this way and not as arguments, so that no process list shows a password.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "pyenv/env_builder.h"

namespace llmd::pyenv {

using Variables = std::map<std::string, std::string>;

// For a build in `folder`. `base` is what any child may see (CleanEnvironment).
Variables UvEnvironment(const EnvBuilderOptions& options, Variables base,
                        const std::filesystem::path& folder);

// $UV_CACHE_DIR, else uv's default where `folder` lies on the same file system (packages are shared
// by hard links), else `own`/uv.
std::filesystem::path UvCacheDir(const Variables& environment, const std::filesystem::path& own,
                                 const std::filesystem::path& folder);

// Adds what makes uv take CPU builds of torch.
void PreferCpuTorch(const EnvBuilderOptions& options, Variables& environment);

}  // namespace llmd::pyenv
