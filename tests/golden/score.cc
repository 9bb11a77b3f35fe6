#include "golden/score.h"

#include <fmt/format.h>
#include <algorithm>

#include "domain/names.h"

namespace llmd::testing {
namespace {

using nlohmann::json;

// "PyYAML[x]>=6" -> "pyyaml", with '_' as '-'.
std::string PackageName(const std::string& requirement) {
  const size_t end = requirement.find_first_of("[=<>;");
  std::string name = ToLower(requirement.substr(0, end));
  std::replace(name.begin(), name.end(), '_', '-');
  while (name.ends_with(' ')) name.pop_back();
  return name;
}

// A requirement of the expectation is compared as a whole: it may be a Git address.
std::string WantedName(const json& requirement) {
  std::string name = ToLower(requirement.get<std::string>());
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

class Scorer {
 public:
  Scorer(const GoldenCase& golden, const ModelProfile& profile)
      : expect_(golden.expect()), golden_(golden.json), answer_(ProfileToJson(profile)) {}

  Score Compare(int exit_code) {
    for (const char* field : {"detector", "handler", "kind", "architecture", "model_type", "loader",
                              "quantization", "context_length", "supported"}) {
      if (expect_.contains(field)) Plain(field, answer_.at(field));
    }
    Plain("remote_code", answer_.at("requirements").at("remote_code"));
    Plain("trainable_lora", answer_.at("trainable").at("lora"));
    if (expect_.value("supported", false)) {
      Packages("requirements_packages");
      Packages("special");
    }
    Reasons();
    ExitCode(exit_code);
    MustNot();
    return Judge();
  }

 private:
  std::vector<json> Options(const std::string& field) const {
    std::vector<json> options = {expect_.value(field, json())};
    if (expect_.contains("accept") && expect_.at("accept").contains(field)) {
      for (const json& option : expect_.at("accept").at(field)) options.push_back(option);
    }
    return options;
  }

  bool Accepted(const std::string& field, const json& value) const {
    const std::vector<json> options = Options(field);
    return std::any_of(options.begin(), options.end(), [&](const json& option) {
      if (value == option) return true;
      if (option.is_null()) return value.is_string() && value.get<std::string>().empty();
      return value.is_string() && option.is_string() &&
             ToLower(value.get<std::string>()) == ToLower(option.get<std::string>());
    });
  }

  void Say(std::string text) { score_.differences.push_back(std::move(text)); }

  void Plain(const std::string& field, const json& value) {
    if (!expect_.contains(field) || Accepted(field, value)) return;
    Say(fmt::format("{}: {} instead of {}", field, value.dump(), expect_.at(field).dump()));
  }

  // Each list of an option names packages that must be there at least, wherever they are named.
  void Packages(const std::string& field) {
    if (!expect_.contains(field)) return;
    std::vector<std::string> have;
    for (const char* list : {"packages", "special"}) {
      for (const json& item : answer_.at("requirements").at(list)) {
        have.push_back(PackageName(item.get<std::string>()));
      }
    }
    for (const json& option : Options(field)) {
      const bool covered = std::all_of(option.begin(), option.end(), [&](const json& wanted) {
        return std::find(have.begin(), have.end(), WantedName(wanted)) != have.end();
      });
      if (covered) return;
    }
    Say(fmt::format("{}: [{}] lacks one of {}", field, fmt::join(have, ", "),
                    expect_.at(field).dump()));
  }

  void Reasons() {
    if (answer_.at("supported") != expect_.value("supported", false)) return;
    std::string said;
    for (const json& reason : answer_.at("reasons"))
      said += ToLower(reason.get<std::string>()) + " ";
    for (const json& words : Options("reasons_contains")) {
      const bool all =
          words.is_null() || std::all_of(words.begin(), words.end(), [&](const json& word) {
            return said.find(ToLower(word.get<std::string>())) != std::string::npos;
          });
      if (all) return;
    }
    Say(fmt::format("reasons '{}' do not say {}", said,
                    expect_.value("reasons_contains", json()).dump()));
  }

  // Whether there is room on this machine is not asked.
  void ExitCode(int exit_code) {
    if (!expect_.contains("exit") || Accepted("exit", exit_code)) return;
    const bool no_room = expect_.value("supported", false) && answer_.at("supported") == true;
    if (no_room && exit_code == 3) return;
    Say(fmt::format("exit code {} instead of {}", exit_code, expect_.at("exit").dump()));
  }

  void MustNot() {
    if (!golden_.contains("must_not")) return;
    for (const auto& [field, bad] : golden_.at("must_not").items()) {
      const std::string name = field == "requirements_packages" ? "packages" : field;
      json value = answer_.contains(name) ? answer_.at(name)
                                          : answer_.at("requirements").value(name, json());
      if (!value.is_array()) value = json::array({value});
      const json list = bad.is_array() ? bad : json::array({bad});
      for (const json& item : value) {
        if (std::find(list.begin(), list.end(), item) == list.end()) continue;
        forbidden_ = true;
        Say(fmt::format("must not be: {} = {}", field, item.dump()));
      }
    }
  }

  Score Judge() {
    if (score_.differences.empty()) return score_;
    const bool declined = expect_.value("supported", false) && answer_.at("supported") == false &&
                          !answer_.at("reasons").empty() && !forbidden_;
    score_.verdict = declined ? Verdict::kRefused : Verdict::kWrong;
    return score_;
  }

  const json& expect_;
  const json& golden_;
  const json answer_;
  bool forbidden_ = false;
  Score score_;
};

}  // namespace

Score ScoreProfile(const GoldenCase& golden, const ModelProfile& profile, int exit_code) {
  return Scorer(golden, profile).Compare(exit_code);
}

}  // namespace llmd::testing
