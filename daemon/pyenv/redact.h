// Redact: takes names and passwords out of addresses, for logs and messages.
#pragma once

#include <string>
#include <string_view>

namespace llmd::pyenv {

// "https://user:secret@host/x" becomes "https://***@host/x", wherever it stands in `text`.
std::string Redact(std::string_view text);

}  // namespace llmd::pyenv
