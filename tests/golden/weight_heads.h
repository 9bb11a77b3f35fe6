// The first bytes of weight files, made from a few facts: real headers without weights.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace llmd::testing {

// GGUF version 3 with the given keys (strings, whole and broken numbers, booleans, lists) and one
// small tensor.
std::string GgufHead(const nlohmann::json& keys);

// A header whose tensors fit into a file of `size` bytes. `info` may have `tensors` (type ->
// count), `keys_sample` (names) and `shapes` (name -> shape); `torch_dtype` is used where it has no
// types.
std::string SafetensorsHead(const nlohmann::json& info, int64_t size,
                            const std::string& torch_dtype);

}  // namespace llmd::testing
