// Golden cases: real and invented repositories as files of tests/golden/cases (format in
// README.md), turned into repositories that the probes can read.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/fakes/fake_repository.h"

namespace llmd::testing {

struct GoldenCase {
  std::string repo_id;
  std::string group;
  nlohmann::json json;  // the whole file

  const nlohmann::json& expect() const { return json.at("expect"); }
};

// Every *.json of the folder, by name.
std::vector<GoldenCase> LoadGoldenCases(const std::filesystem::path& folder);

// Lists the case's files; small files have their content, weight files a real header.
std::unique_ptr<FakeRepository> MakeRepository(const GoldenCase& golden);

}  // namespace llmd::testing
