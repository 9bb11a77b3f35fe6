// Which weight files belong together, told from names and sizes alone. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/facts.h"
#include "domain/file_inventory.h"

namespace llmd {

// The format that a file's name promises ("safetensors", "gguf", "pytorch", "onnx", ...); empty
// for what is no weight file, optimizer states and training arguments among them.
std::string_view WeightFormatOf(std::string_view path);

// Every set of the inventory, the preferred first: fewer folders deep, safetensors before pytorch
// before gguf before the rest, usual names before others, the plain variant before "fp16" and the
// like. For GGUF the order of variants is that of GgufVariantRank.
std::vector<WeightSet> FindWeightSets(const FileInventory& inventory);

// The variant that a GGUF file's name tells ("Q4_K_M", upper case); empty when it tells none.
std::string GgufVariantOf(std::string_view stem);

// Lower is taken sooner when nobody says which: Q4_K_M first, then its neighbours, then what is
// larger, then what is worse, whole precision last.
int GgufVariantRank(std::string_view variant);

}  // namespace llmd
