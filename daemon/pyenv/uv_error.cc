#include "pyenv/uv_error.h"

#include <algorithm>
#include <initializer_list>

#include "pyenv/redact.h"

namespace llmd::pyenv {
namespace {

constexpr size_t kMostText = 600;
constexpr char kLookAtRequirements[] =
    "Look at requirements.txt in the model's folder: these packages do not go together here.";

std::string Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

void Append(std::string& text, const std::string& more) {
  if (!text.empty() && !more.empty()) text += ' ';
  text += more;
}

std::string Shorten(std::string text) {
  if (text.size() > kMostText) {
    text.resize(kMostText);
    while (!text.empty() && (text.back() & 0xC0) == 0x80) text.pop_back();
    text += "...";
  }
  return text;
}

bool Has(const std::string& text, std::initializer_list<std::string_view> needles) {
  return std::ranges::any_of(
      needles, [&](std::string_view needle) { return text.find(needle) != std::string::npos; });
}

// "https://index.example.org" of the first address in the report.
std::string FirstHost(const std::string& text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return {};
  size_t begin = scheme;
  while (begin > 0 && std::isalpha(static_cast<unsigned char>(text[begin - 1])) != 0) --begin;
  const size_t end = text.find_first_of("/ `)'\"", scheme + 3);
  return text.substr(begin, end == std::string::npos ? end : end - begin);
}

Status Fail(StatusCode code, std::string_view doing, const std::string& why, const char* name,
            std::string next_step) {
  return MakeStatus(code, fmt::format("{} failed: {}", doing, Shorten(why)),
                    {.code = name, .next_step = std::move(next_step)});
}

// OK when the report is not about reaching an index.
Status Unreachable(const std::string& all, const std::string& last, std::string_view doing) {
  const auto fail = [doing](const std::string& why, const char* next_step) {
    return Fail(StatusCode::kUnavailable, doing, why, "index_unreachable", next_step);
  };
  if (Has(all, {"401 Unauthorized", "403 Forbidden", "authentication credentials"})) {
    return fail(fmt::format("the package index {} wants credentials", FirstHost(all)),
                "Set UV_DEFAULT_INDEX or python.index_url with credentials.");
  }
  if (Has(all, {"network was disabled", "network connectivity is disabled"})) {
    return fail("packages are missing and uv is offline",
                "Unset UV_OFFLINE, or install once while online.");
  }
  if (Has(all, {"invalid peer certificate", "certificate verify failed"})) {
    return fail(fmt::format("the certificate of {} is not trusted", FirstHost(all)),
                "Set SSL_CERT_FILE to a file with your own authority.");
  }
  if (Has(all,
          {"error sending request", "Failed to fetch", "Request failed after", "Could not connect",
           "timed out", "dns error", "error decoding response body", "HTTP status server error"})) {
    return fail(fmt::format("the package index {} does not answer: {}", FirstHost(all), last),
                "Check the network, or name another index: UV_DEFAULT_INDEX or "
                "python.index_url.");
  }
  return OkStatus();
}

}  // namespace

UvReport ReadUvReport(const std::vector<std::string>& lines) {
  UvReport report;
  std::string* current = nullptr;
  for (const std::string& raw : lines) {
    const std::string line = Trim(raw);
    if (line.starts_with("error: ")) {
      report = {.error = line.substr(7), .causes = {}, .hint = {}};
      current = &report.error;
    } else if (report.error.empty() || line.starts_with("warning: ")) {
      current = nullptr;
    } else if (line.starts_with("cause: ")) {
      current = &report.causes.emplace_back(line.substr(7));
    } else if (line.starts_with("hint: ")) {
      Append(report.hint, line.substr(6));
      current = &report.hint;
    } else if (current != nullptr) {
      Append(*current, line);
    }
  }
  return report;
}

Status UvError(const std::vector<std::string>& lines, std::string_view doing,
               const std::filesystem::path& folder) {
  UvReport report = ReadUvReport(lines);
  std::string all = report.error;
  for (const std::string& cause : report.causes) Append(all, cause);
  Append(all, report.hint);
  all = Redact(all);
  const std::string last = Redact(report.causes.empty() ? report.error : report.causes.back());

  if (Has(all, {"No space left on device", "os error 28", "Disk quota exceeded"})) {
    return Fail(StatusCode::kResourceExhausted, doing, "the disk is full", "disk_full",
                fmt::format("Free some space where {} and uv's cache lie, then try again.",
                            folder.string()));
  }
  if (Has(all, {"Hash mismatch"})) {
    return Fail(StatusCode::kDataLoss, doing, fmt::format("{}: {}", Redact(report.error), last),
                "package_corrupt",
                "The index served other bytes than the lock names: try again, and if it stays so "
                "remove requirements.lock from the model's folder.");
  }
  if (const Status unreachable = Unreachable(all, last, doing); !unreachable.ok()) {
    return unreachable;
  }
  if (Has(all, {"No solution found", "unsatisfiable", "no usable wheels", "has no wheels"})) {
    return Fail(StatusCode::kFailedPrecondition, doing, last, "unsatisfiable",
                report.hint.empty() ? kLookAtRequirements : Shorten(Redact(report.hint)));
  }
  if (Has(all, {"parse requirement", "parsing included file", "Unsupported requirement"})) {
    return Fail(StatusCode::kInvalidArgument, doing,
                fmt::format("{}: {}", Redact(report.error), last), "bad_requirement",
                "Correct requirements.txt in the model's folder.");
  }
  if (Has(all, {"No interpreter found", "No Python", "Python interpreter"})) {
    return Fail(StatusCode::kFailedPrecondition, doing, report.error, "python_missing",
                "Install Python 3.10 or newer.");
  }
  // What `uv pip check` says.
  for (const std::string& line : lines) {
    if (report.error.empty() && line.starts_with("The package `")) Append(all, line + ';');
  }
  if (!all.empty() && report.error.empty()) {
    return Fail(StatusCode::kFailedPrecondition, doing, all, "unsatisfiable", kLookAtRequirements);
  }
  if (all.empty() && !lines.empty()) all = Redact(lines.back());
  return Fail(StatusCode::kInternal, doing, all.empty() ? "uv said nothing" : all, "uv_failed",
              "See logs/install.log in the model's folder.");
}

}  // namespace llmd::pyenv
