// JsonFields: reads the members of one JSON object into typed variables. Missing members leave the
// variable as it is; members of another type are an error that names them. Reads never stop at an
// error: the first one is kept for status(). Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmd {

class JsonFields {
 public:
  // `where` names the object in errors ("profile.memory"). `object` must outlive the reader.
  JsonFields(const nlohmann::json& object, std::string where);

  void Read(const char* key, bool& out);
  void Read(const char* key, std::string& out);
  void Read(const char* key, int64_t& out);
  void Read(const char* key, int& out);
  void Read(const char* key, std::vector<std::string>& out);
  void Read(const char* key, std::map<std::string, std::string>& out);
  // null is nullopt.
  void Read(const char* key, std::optional<std::string>& out);
  void Read(const char* key, std::optional<int64_t>& out);

  // One nested object, read by `read(JsonFields&)`.
  template <typename Function>
  void ReadObject(const char* key, Function read) {
    if (std::optional<JsonFields> fields = Nested(key)) {
      read(*fields);
      Keep(fields->status());
    }
  }

  // An array of objects, each read by `read(JsonFields&, Item&)`.
  template <typename Item, typename Function>
  void ReadList(const char* key, std::vector<Item>& out, Function read) {
    std::optional<std::vector<JsonFields>> elements = Elements(key);
    if (!elements) return;
    out.clear();
    for (JsonFields& fields : *elements) {
      read(fields, out.emplace_back());
      Keep(fields.status());
    }
  }

  // OK, or the first error: kInvalidArgument with code "invalid_json".
  const Status& status() const { return status_; }

 private:
  const nlohmann::json* Find(const char* key) const;
  std::optional<JsonFields> Nested(const char* key) const;
  std::optional<std::vector<JsonFields>> Elements(const char* key);
  std::string Where(const char* key) const { return where_ + "." + key; }
  bool Expect(bool holds, const char* key, std::string_view what);
  void Keep(const Status& status) {
    if (status_.ok()) status_ = status;
  }

  const nlohmann::json* object_;
  std::string where_;
  Status status_;
};

}  // namespace llmd
