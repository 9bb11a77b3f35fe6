// A model server's error, retold: its sentence and code in OpenAI's form, without paths or stack
// traces of this machine. Pure.
#pragma once

#include <string>
#include <string_view>

namespace llmd::gateway {

// `body`: what the server answered with `status` (400 or more).
std::string RetellError(int status, std::string_view body);

}  // namespace llmd::gateway
