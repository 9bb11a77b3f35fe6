// What the readers of handler and engine files share: strict access to a YAML map and the lists of
// files of a folder. Pure but for ListSpecFiles. Errors are kInvalidArgument, code "invalid_rule",
// with file:line:column.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/yaml_reader.h"
#include "domain/specs.h"

namespace llmd {

// A map of a spec file while it is read. The first error is kept and the following reads change
// nothing, so that a reader is a list of lines. Not thread-safe.
class SpecReader {
 public:
  // `keys` are the allowed ones. `source` and `node` must outlive the reader.
  SpecReader(const std::string& source, const YamlNode& node,
             std::initializer_list<std::string_view> keys);

  const Status& status() const { return status_; }
  const YamlNode* Find(std::string_view key) const {
    return node_.IsMap() ? node_.Find(key) : nullptr;
  }

  // A missing key leaves `value` alone.
  void Read(std::string_view key, std::string& value);
  void Read(std::string_view key, bool& value);
  void Read(std::string_view key, int& value);
  void Read(std::string_view key, int64_t& value);  // never negative
  void Read(std::string_view key, double& value);   // never negative
  void Read(std::string_view key, std::optional<bool>& value);
  void Read(std::string_view key, std::vector<std::string>& value);  // a text or a list of texts
  void Read(std::string_view key, std::map<std::string, std::string>& value);
  void Read(std::string_view key, SpecConditions& value);  // a condition or a list of conditions
  void Read(std::string_view key, std::vector<PackageSpec>& value);  // texts or maps
  // Whether the key is there; an error when it is not.
  bool Require(std::string_view key);
  // The items of a list, one by one.
  void ForEach(std::string_view key, const std::function<Status(const YamlNode& item)>& read);
  // The same with a function that makes a value of each.
  template <typename T>
  void ReadList(std::string_view key, StatusOr<T> (*parse)(const std::string&, const YamlNode&),
                std::vector<T>& list) {
    ForEach(key, [&](const YamlNode& item) {
      StatusOr<T> value = parse(source_, item);
      if (value.ok()) list.push_back(*std::move(value));
      return value.status();
    });
  }
  // One of `allowed`, when it is there.
  void CheckOneOf(std::string_view key, std::initializer_list<std::string_view> allowed);

  void Fail(const YamlNode& node, std::string_view message);
  void Merge(const Status& status);

 private:
  const YamlNode* Scalar(std::string_view key);

  const std::string& source_;
  const YamlNode& node_;
  Status status_;
};

// A name, extras and versions, as in "uvicorn[standard]>=0.30". Options of pip and addresses, which
// would make a rule a way to any code, are neither.
bool IsRequirement(std::string_view text);

// Reads `schema: 1` and `id`; an id is made of a-z, 0-9, '-' and '.'.
StatusOr<std::string> ReadSpecId(SpecReader& reader);

// One file of a folder, parsed.
struct SpecFile {
  std::string name;  // for messages
  YamlNode root;
};

// Every *.yaml file of `dir`, by name. A bad file is an error.
StatusOr<std::vector<SpecFile>> ReadSpecFiles(const std::filesystem::path& dir);

// The user's detector rules, handlers and engines lie in one folder and are told apart by a key of
// their own: rules have `when`, engines have `serves`, handlers have neither.
enum class SpecKind { kRule, kEngine, kHandler };

// Works on text that is no YAML, so that each broken file is reported once.
SpecKind KindOfSpec(std::string_view text);

// A file of the user's folder, not parsed yet.
struct UserSpec {
  std::filesystem::path path;
  std::string text;
};

// The *.yaml files of one kind in the user's folder, which may be missing. Links, pipes and files
// that others can write to are refused, and so is a whole folder that others can write to: what is
// refused is left out and its message, with file:line:column, appended to `errors`.
std::vector<UserSpec> ReadUserSpecs(const std::filesystem::path& dir, SpecKind kind,
                                    std::vector<std::string>& errors);
// The same, parsed.
std::vector<SpecFile> ReadUserSpecFiles(const std::filesystem::path& dir, SpecKind kind,
                                        std::vector<std::string>& errors);

// Both together: `dir` (an error fails the load), then the files of `kind` in `user_dir` (a bad one
// is skipped and listed in `user_errors`). T has `id`, `file` and `user`; ids are unique.
template <typename T>
StatusOr<std::vector<T>> LoadSpecs(const std::filesystem::path& dir,
                                   const std::filesystem::path& user_dir, SpecKind kind,
                                   std::vector<std::string>& user_errors,
                                   StatusOr<T> (*parse)(const SpecFile&)) {
  std::vector<T> specs;
  const auto add = [&](const SpecFile& file, bool user) -> Status {
    LLMD_ASSIGN_OR_RETURN(T spec, parse(file));
    for (const T& known : specs) {
      if (known.id == spec.id) {
        return YamlError(file.name, file.root, "the id '" + spec.id + "' is taken by " + known.file,
                         "invalid_rule");
      }
    }
    spec.user = user;
    specs.push_back(std::move(spec));
    return OkStatus();
  };
  LLMD_ASSIGN_OR_RETURN(const std::vector<SpecFile> files, ReadSpecFiles(dir));
  for (const SpecFile& file : files) LLMD_RETURN_IF_ERROR(add(file, false));
  for (const SpecFile& file : ReadUserSpecFiles(user_dir, kind, user_errors)) {
    if (const Status status = add(file, true); !status.ok()) {
      user_errors.push_back(Message(status));
    }
  }
  return specs;
}

}  // namespace llmd
