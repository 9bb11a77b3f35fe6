// What the Python libraries know, read from rules/tables/ (see tools/make_tables.py): which class
// is loaded how, and what it makes. Immutable after loading, so thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmd::detectors {

// A model class of transformers, or what the end of an unknown one's name says.
struct ModelClass {
  std::string type;    // the model_type it belongs to
  std::string loader;  // the auto class that loads it, or its own name
  std::string kind;
  std::vector<std::string> takes;  // text, image, audio, video
  std::vector<std::string> gives;
};

// A model_type of transformers with its configuration's defaults (0 = has none).
struct ModelType {
  std::string config;         // the configuration's class
  std::string default_class;  // what a config.json without `architectures` stands for
  int64_t layers = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;  // only where it does not follow from the others
  int64_t vocab = 0;
  int64_t context = 0;
  int64_t position_offset = 0;  // positions lost to padding
  std::string pattern;          // of its layers, repeated: F full attention, S sliding, R a state,
                                // H full attention and a state; empty: all alike
  int64_t window = 0;           // of those that slide
};

struct ForeignType {
  std::string package;
  std::string kind;
};

struct PipelineClass {
  std::string kind;
  std::vector<std::string> can;  // inpaint, image-to-image, control
};

template <typename T>
using Table = std::map<std::string, T, std::less<>>;

struct Tables {
  std::string transformers_version;
  Table<ModelType> types;
  Table<ModelClass> classes;
  Table<std::string> aliases;  // old class name -> today's
  Table<ModelClass> suffixes;  // end of a class name -> what it says
  Table<std::string> loaders;  // auto class -> kind
  Table<ForeignType> foreign_types;
  Table<std::string> pipeline_tags;  // the Hub's -> kind
  std::set<std::string, std::less<>> tokenizers;
  std::set<std::string, std::less<>> processors;

  std::string diffusers_version;
  Table<PipelineClass> pipelines;
  Table<std::string> parts;                             // diffusers' model class -> kind
  std::set<std::string, std::less<>> pipeline_modules;  // "stable_diffusion", ...

  const ModelClass* FindClass(std::string_view name) const;     // aliases followed
  const ModelClass* FindBySuffix(std::string_view name) const;  // the longest that fits
};

// Strict: an unknown or missing section is an error with file:line:column.
StatusOr<Tables> LoadTables(const std::filesystem::path& folder);

}  // namespace llmd::detectors
