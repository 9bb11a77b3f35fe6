#include "detectors/detective.h"

#include <utility>

#include "detectors/derive_facts.h"
#include "detectors/profile_builder.h"
#include "detectors/rule_book.h"
#include "detectors/tables.h"
#include "domain/rule_file.h"
#include "domain/rule_matcher.h"

namespace llmd::detectors {
namespace {

class RuleDetective : public Detective {
 public:
  RuleDetective(RuleBook book, Tables tables)
      : book_(std::move(book)), tables_(std::make_shared<const Tables>(std::move(tables))) {}

  GatherOptions gather_options() const override {
    GatherOptions options{.tables = tables_};
    for (const Rule& rule : book_.rules) {
      const std::vector<std::string> documents = DocumentsOf(rule);
      options.documents.insert(options.documents.end(), documents.begin(), documents.end());
    }
    return options;
  }

  ModelProfile Inspect(const Facts& facts) const override {
    const Derived derived = DeriveFacts(facts, *tables_);
    std::vector<ModelProfile::Evidence> evidence;
    for (const Rule& rule : book_.rules) {
      Match match = MatchPredicate(rule.when, derived.sheet);
      const std::string name = rule.user ? rule.id + " (user rule)" : rule.id;
      evidence.push_back({.detector = name, .matched = match.matched, .because = match.because});
      if (!match.matched && &rule != &book_.rules.back()) continue;
      ModelProfile profile = BuildProfile(rule, derived, *tables_);
      Explain(profile, derived, evidence.back());
      profile.evidence = std::move(evidence);
      return profile;
    }
    return {};
  }

  const std::vector<std::string>& user_rule_errors() const override { return book_.user_errors; }

 private:
  // Names the code that would be run.
  static void Explain(const ModelProfile& profile, const Derived& derived,
                      ModelProfile::Evidence& evidence) {
    if (profile.detector == "none" && !profile.reasons.empty()) {
      evidence.because = profile.reasons.front();
    }
    if (!profile.requirements.remote_code) return;
    std::string files;
    for (const std::string& file : derived.transformers.code.files) {
      files += (files.empty() ? "" : ", ") + file;
    }
    evidence.because += "; runs code of the repository";
    if (!files.empty()) evidence.because += ": " + files;
  }

  RuleBook book_;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace

StatusOr<std::unique_ptr<Detective>> Detective::Load(const std::filesystem::path& rules_dir,
                                                     const std::filesystem::path& user_rules_dir) {
  LLMD_ASSIGN_OR_RETURN(Tables tables, LoadTables(rules_dir / "tables"));
  LLMD_ASSIGN_OR_RETURN(RuleBook book, LoadRuleBook(rules_dir, user_rules_dir));
  return std::make_unique<RuleDetective>(std::move(book), std::move(tables));
}

}  // namespace llmd::detectors
