// Shell-like patterns for file names, tags and class names. Pure, linear in practice and never
// worse than the product of the two lengths.
#pragma once

#include <string_view>

namespace llmd {

// '*' stands for any characters, '?' for one; everything else for itself.
bool MatchesGlob(std::string_view pattern, std::string_view text);

// The same for paths: '*' and '?' do not cross '/', "**" does, and "**/" also stands for nothing.
bool MatchesPathGlob(std::string_view pattern, std::string_view path);

// Whether the pattern has a wildcard at all.
bool IsGlob(std::string_view pattern);

}  // namespace llmd
