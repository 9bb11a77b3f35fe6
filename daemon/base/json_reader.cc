#include "base/json_reader.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace llmd {
namespace {

using nlohmann::json;

// Counts and bounds while the parser runs; builds nothing.
class LimitChecker : public nlohmann::json_sax<json> {
 public:
  explicit LimitChecker(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return Node(); }
  bool boolean(bool) override { return Node(); }
  bool number_integer(number_integer_t) override { return Node(); }
  bool number_unsigned(number_unsigned_t) override { return Node(); }
  bool number_float(number_float_t, const string_t&) override { return Node(); }
  bool string(string_t&) override { return Node(); }
  bool binary(binary_t&) override { return Node(); }
  bool start_object(std::size_t) override { return Open(); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(); }
  bool end_array() override { return Close(); }
  bool key(string_t& key) override {
    if (!limits_.allow_duplicate_keys && !keys_.back().insert(key).second) {
      return Refuse(StatusCode::kInvalidArgument, "invalid_json",
                    fmt::format("the key '{}' appears twice in one object", key.substr(0, 80)));
    }
    return Node();
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    position_ = position;
    return Refuse(StatusCode::kInvalidArgument, "invalid_json", Shorten(error.what()));
  }

  Status status() const { return status_; }
  size_t position() const { return position_; }

 private:
  bool Node() {
    if (++nodes_ <= limits_.max_nodes) return true;
    return Refuse(StatusCode::kResourceExhausted, "json_too_large",
                  fmt::format("more than {} values", limits_.max_nodes));
  }
  bool Open() {
    keys_.emplace_back();
    if (keys_.size() > limits_.max_depth) {
      return Refuse(StatusCode::kResourceExhausted, "json_too_deep",
                    fmt::format("nested deeper than {} levels", limits_.max_depth));
    }
    return Node();
  }
  bool Close() {
    keys_.pop_back();
    return true;
  }
  bool Refuse(StatusCode code, std::string info_code, const std::string& message) {
    if (status_.ok()) status_ = MakeStatus(code, message, {std::move(info_code), ""});
    return false;
  }
  // nlohmann's text begins with its own exception id and position, which we print ourselves.
  static std::string Shorten(const std::string& what) {
    const size_t at = what.find("syntax error");
    return (at == std::string::npos ? what : what.substr(at)).substr(0, 200);
  }

  const JsonLimits& limits_;
  size_t nodes_ = 0;
  size_t position_ = 0;
  std::vector<std::set<std::string>> keys_;
  Status status_;
};

std::string LineAndColumn(std::string_view text, size_t position) {
  size_t line = 1;
  size_t column = 1;
  for (size_t i = 0; i + 1 < position && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return fmt::format("{}:{}", line, column);
}

}  // namespace

StatusOr<json> ParseJson(std::string_view text, std::string_view source, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return MakeStatus(StatusCode::kResourceExhausted,
                      fmt::format("{} is {} bytes long; at most {} are read", source, text.size(),
                                  limits.max_bytes),
                      {.code = "json_too_large", .next_step = ""});
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  LimitChecker checker(limits);
  const bool sound = json::sax_parse(text, &checker);
  if (!checker.status().ok() && checker.position() > 0) {
    return Annotate(checker.status(),
                    fmt::format("{}:{}", source, LineAndColumn(text, checker.position())));
  }
  if (!sound || !checker.status().ok()) {
    return Annotate(checker.status().ok() ? InvalidArgument("not JSON") : checker.status(), source);
  }
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

StatusOr<json> ReadJsonFile(const std::filesystem::path& path, const JsonLimits& limits) {
  LLMD_ASSIGN_OR_RETURN(std::string text, ReadFile(path, limits.max_bytes));
  return ParseJson(text, path.string(), limits);
}

}  // namespace llmd
