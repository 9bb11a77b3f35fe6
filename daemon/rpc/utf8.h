// Bytes from logs as text that protobuf accepts. Pure functions.
#pragma once

#include <string>

namespace llmd::rpc {

// Takes all of `pending` but an unfinished character at its end, with every byte that is not UTF-8
// replaced by U+FFFD.
std::string TakeUtf8(std::string& pending);

}  // namespace llmd::rpc
