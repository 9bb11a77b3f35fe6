#include "planner/file_choice.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/core.h>

#include "domain/glob.h"
#include "domain/weight_sets.h"

namespace llmd::planner {
namespace {

struct Pattern {
  std::string_view glob;
  std::string_view why;
};

// What is never needed to serve a model, whatever it is: by the file's name ...
constexpr std::array kLeftovers = {
    Pattern{".git*", "for git only"},
    Pattern{".DS_Store", "for git only"},
    Pattern{"optimizer*.pt", "left by training"},
    Pattern{"optimizer*.bin", "left by training"},
    Pattern{"scheduler.pt", "left by training"},
    Pattern{"scaler.pt", "left by training"},
    Pattern{"rng_state*", "left by training"},
    Pattern{"random_states*", "left by training"},
    Pattern{"training_args.bin", "left by training"},
    Pattern{"trainer_state.json", "left by training"},
    Pattern{"events.out.tfevents*", "left by training"},
    Pattern{"*.imatrix*", "only for making quantised weights"},
};

// ... and by the name of a folder on the way.
constexpr std::array<std::string_view, 3> kLeftoverFolders = {"runs", "checkpoint-*",
                                                              "global_step*"};

// Documentation's pictures; a model's own example sounds stay, voices are among them.
constexpr std::array<std::string_view, 12> kMedia = {".png",  ".jpg", ".jpeg", ".gif",
                                                     ".webp", ".svg", ".bmp",  ".mp4",
                                                     ".webm", ".mov", ".avi",  ".pdf"};

std::string_view FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string_view TopOf(std::string_view folder) { return folder.substr(0, folder.find('/')); }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string Leftover(std::string_view path) {
  std::string_view folder = FolderOf(path);
  const std::string_view base = folder.empty() ? path : path.substr(folder.size() + 1);
  for (const Pattern& leftover : kLeftovers) {
    if (MatchesGlob(leftover.glob, base)) return std::string(leftover.why);
  }
  for (; !folder.empty(); folder = FolderOf(folder)) {
    const size_t slash = folder.rfind('/');
    const std::string_view name = slash == folder.npos ? folder : folder.substr(slash + 1);
    for (const std::string_view glob : kLeftoverFolders) {
      if (MatchesGlob(glob, name)) return "left by training";
    }
  }
  return "";
}

class Chooser {
 public:
  Chooser(const Facts& facts, const ModelProfile& profile, const Selection& selection)
      : profile_(profile),
        selection_(selection),
        weights_(selection.files.begin(), selection.files.end()) {
    for (const WeightSet& set : facts.weights) NoteSet(set);
    for (const ModelProfile::Variant& variant : profile.variants) {
      for (const std::string& path : variant.files) variant_of_.emplace(path, variant.name);
    }
    for (const std::string& path : selection.files) AddWithParents(FolderOf(path));
    for (const ComponentFacts& part : facts.components) AddWithParents(part.name);
  }

  // Why a file is left out; empty: it is fetched.
  std::string WhyNot(const FileEntry& file) const {
    if (weights_.contains(file.path)) return "";
    if (indexes_.contains(file.path)) return "index of weights that are not used";
    if (const auto variant = variant_of_.find(file.path); variant != variant_of_.end()) {
      return fmt::format("another variant: {}", variant->second);
    }
    if (std::string leftover = Leftover(file.path); !leftover.empty()) return leftover;
    const std::string_view format = WeightFormatOf(file.path);
    if (!format.empty()) return WhyNotWeights(format);
    const std::string lower = Lower(file.path);
    for (const std::string_view ending : kMedia) {
      if (lower.ends_with(ending)) return "a picture or document";
    }
    if (lower.ends_with(".py") && !profile_.requirements.remote_code) {
      return "code of the repository, not needed";
    }
    const std::string_view folder = FolderOf(file.path);
    if (!folder.empty() && !needed_folders_.contains(std::string(folder)) &&
        foreign_folders_.contains(std::string(TopOf(folder)))) {
      return fmt::format("belongs to the weights in {}/, which are not used", TopOf(folder));
    }
    return "";
  }

 private:
  void NoteSet(const WeightSet& set) {
    const bool chosen =
        std::any_of(set.files.begin(), set.files.end(),
                    [&](const std::string& path) { return weights_.contains(path); });
    if (chosen) return;
    if (!set.index.empty()) indexes_.insert(set.index);
    if (!set.folder.empty()) foreign_folders_.insert(std::string(TopOf(set.folder)));
  }

  void AddWithParents(std::string_view folder) {
    while (!folder.empty()) {
      needed_folders_.insert(std::string(folder));
      folder = FolderOf(folder);
    }
  }

  std::string WhyNotWeights(std::string_view format) const {
    if (format == selection_.format) return "other weights than those that are used";
    return selection_.format.empty() ? fmt::format("weights in the format {}", format)
                                     : fmt::format("same weights in {}", selection_.format);
  }

  const ModelProfile& profile_;
  const Selection& selection_;
  std::set<std::string> weights_;
  std::set<std::string> indexes_;          // of sets that were not chosen
  std::set<std::string> needed_folders_;   // of weights that were, of a pipeline's parts
  std::set<std::string> foreign_folders_;  // top folders of sets that were not
  std::map<std::string, std::string, std::less<>> variant_of_;  // by path
};

}  // namespace

FileChoice ChooseFiles(const Facts& facts, const ModelProfile& profile,
                       const Selection& selection) {
  const Chooser chooser(facts, profile, selection);
  FileChoice choice;
  for (const FileEntry& file : facts.inventory.files) {
    std::string why = chooser.WhyNot(file);
    if (why.empty()) {
      choice.files.push_back(file);
      choice.bytes += file.size;
    } else {
      choice.skipped.push_back({.path = file.path, .why = std::move(why)});
    }
  }
  return choice;
}

}  // namespace llmd::planner
