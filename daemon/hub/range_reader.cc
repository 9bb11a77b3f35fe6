#include "hub/range_reader.h"

#include <algorithm>
#include <charconv>

#include "hub/hub_error.h"

namespace llmd::hub {
namespace {

using Sink = std::function<Status(std::string_view)>;

struct ContentRange {
  int64_t first = 0;
  int64_t last = 0;
  int64_t total = -1;  // -1: '*'
};

bool TakeNumber(std::string_view& text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool TakeLiteral(std::string_view& text, std::string_view literal) {
  if (!text.starts_with(literal)) return false;
  text.remove_prefix(literal.size());
  return true;
}

// "bytes 0-99/1000"
std::optional<ContentRange> ParseContentRange(std::string_view text) {
  ContentRange range;
  if (!TakeLiteral(text, "bytes ") || !TakeNumber(text, range.first) || !TakeLiteral(text, "-") ||
      !TakeNumber(text, range.last) || !TakeLiteral(text, "/")) {
    return std::nullopt;
  }
  if (text != "*" && (!TakeNumber(text, range.total) || !text.empty())) return std::nullopt;
  return range;
}

// "bytes */1000", which comes with 416; -1 when it is something else.
int64_t UnsatisfiedTotal(std::string_view text) {
  int64_t total = -1;
  if (!TakeLiteral(text, "bytes */") || !TakeNumber(text, total)) return -1;
  return total;
}

// The sink has all it wants, the rest of the answer is not read.
Status Enough() { return MakeStatus(StatusCode::kOutOfRange, "enough"); }
bool IsEnough(const Status& status) { return status.code() == StatusCode::kOutOfRange; }

}  // namespace

// Checks one answer against its request and counts its bytes.
class RangeReader::RangeAnswer {
 public:
  RangeAnswer(const RangeRequest& request, const Sink& sink) : request_(request), sink_(sink) {}

  StatusOr<bool> TakeHead(const HttpResponse& head) {
    http_status_ = head.status;
    if (head.status != 200 && head.status != 206) return false;
    if (const std::string encoding = head.Header("content-encoding");
        !encoding.empty() && encoding != "identity") {
      return HubError(fmt::format("{} comes as '{}' although plain bytes were asked for",
                                  request_.path, encoding));
    }
    return head.status == 206 ? TakePartial(head) : TakeWhole(head);
  }

  Status TakeBytes(std::string_view bytes) {
    if (end_ >= 0 && received_ + static_cast<int64_t>(bytes.size()) > end_ - request_.offset) {
      if (!cut_) return HubError(fmt::format("{}: more bytes than announced", request_.path));
      bytes = bytes.substr(0, static_cast<size_t>(end_ - request_.offset - received_));
    }
    received_ += static_cast<int64_t>(bytes.size());
    LLMD_RETURN_IF_ERROR(sink_(bytes));
    return cut_ && received_ == end_ - request_.offset ? Enough() : OkStatus();
  }

  Status CheckComplete() const {
    if (end_ < 0 || received_ == end_ - request_.offset) return OkStatus();
    return HubError(fmt::format("{}: the answer ended after {} of {} bytes", request_.path,
                                received_, end_ - request_.offset));
  }

  int http_status() const { return http_status_; }
  int64_t total() const { return total_; }

 private:
  StatusOr<bool> TakePartial(const HttpResponse& head) {
    const std::string text = head.Header("content-range");
    const auto range = ParseContentRange(text);
    const int64_t wanted_end = request_.offset + request_.length;
    const bool right =
        range && range->first == request_.offset && range->last < wanted_end &&
        (request_.file_size < 0 ||
         (range->total == request_.file_size &&
          range->last + 1 == std::min(wanted_end, request_.file_size)));
    if (!right) {
      return HubError(fmt::format("{}: asked for bytes {}-{} of {}, the answer is '{}'",
                                  request_.path, request_.offset, wanted_end - 1,
                                  request_.file_size, text));
    }
    total_ = range->total;
    end_ = range->last + 1;
    return true;
  }

  // The server ignored Range.
  StatusOr<bool> TakeWhole(const HttpResponse& head) {
    std::string_view text;
    const std::string length = head.Header("content-length");
    text = length;
    if (!length.empty()) TakeNumber(text, total_);
    const bool differs = total_ >= 0 && request_.file_size >= 0 && total_ != request_.file_size;
    if (request_.offset != 0 || differs) {
      return HubError(fmt::format("{}: asked for bytes from {}, the answer is the whole file",
                                  request_.path, request_.offset));
    }
    end_ = request_.file_size >= 0 ? request_.file_size : total_;
    // A probe of a large file's first bytes does not want the rest.
    if (request_.file_size < 0 && (end_ < 0 || end_ > request_.length)) {
      end_ = request_.length;
      cut_ = true;
    }
    return true;
  }

  const RangeRequest& request_;
  const Sink& sink_;
  int http_status_ = 0;
  int64_t total_ = -1;
  int64_t end_ = -1;  // offset in the file after the answer's last byte
  int64_t received_ = 0;
  bool cut_ = false;
};

Url RangeReader::ResolveUrl(const std::string& path) const {
  Url url = client_.endpoint();
  url.text = fmt::format("{}/{}/resolve/{}/{}", client_.base(), repo_id_, commit_, EncodePath(path));
  return url;
}

std::optional<Url> RangeReader::SignedUrl(const std::string& path) {
  MutexLock lock(mutex_);
  const auto at = signed_.find(path);
  if (at == signed_.end()) return std::nullopt;
  return at->second;
}

void RangeReader::Remember(const std::string& path, const Url& url) {
  if (url.SameOrigin(client_.endpoint())) return;
  MutexLock lock(mutex_);
  signed_.insert_or_assign(path, url);
}

void RangeReader::Forget(const std::string& path) {
  MutexLock lock(mutex_);
  signed_.erase(path);
}

RangeOutcome RangeReader::Exchange(const Url& url, const RangeRequest& request, const Sink& sink,
                                   const CancelToken& cancel, int* http_status) {
  RangeAnswer answer(request, sink);
  const BodyStream stream{
      .on_head = [&](const HttpResponse& head) { return answer.TakeHead(head); },
      .on_bytes = [&](std::string_view bytes) { return answer.TakeBytes(bytes); }};
  const std::string range =
      fmt::format("Range: bytes={}-{}", request.offset, request.offset + request.length - 1);
  StatusOr<Answer> sent = client_.Send({.url = url,
                                        .headers = {range},
                                        .bulk = true,
                                        .fresh_connection = request.fresh_connection,
                                        .max_body = 64u << 10},
                                       &stream, cancel);
  *http_status = answer.http_status();
  RangeOutcome outcome{.status = sent.status(), .file_size = answer.total()};
  if (IsEnough(outcome.status)) outcome.status = OkStatus();
  if (!sent.ok()) return outcome;
  if (*http_status == 200 || *http_status == 206) {
    Remember(request.path, sent->url);
    outcome.status = answer.CheckComplete();
    return outcome;
  }
  outcome.file_size = UnsatisfiedTotal(sent->response.Header("content-range"));
  outcome.asked = AskedWait(sent->response);
  outcome.status = ErrorFromAnswer(sent->response, {.endpoint = client_.base(),
                                                    .repo_id = repo_id_,
                                                    .revision = commit_,
                                                    .path = request.path,
                                                    .has_token = client_.has_token()});
  return outcome;
}

RangeOutcome RangeReader::ReadOnce(const RangeRequest& request, const Sink& sink,
                                   const CancelToken& cancel) {
  int http_status = 0;
  if (const auto known = SignedUrl(request.path)) {
    RangeOutcome outcome = Exchange(*known, request, sink, cancel, &http_status);
    const bool expired = http_status == 400 || http_status == 403 || http_status == 404;
    if (!outcome.status.ok()) Forget(request.path);
    if (!expired) return outcome;
  }
  RangeOutcome outcome = Exchange(ResolveUrl(request.path), request, sink, cancel, &http_status);
  // A range outside the file; or a status that another try may change.
  if (http_status == 416) outcome.status = MakeStatus(StatusCode::kOutOfRange, "past the end");
  return outcome;
}

StatusOr<std::string> RangeReader::Read(const RangeRequest& request, int64_t* file_size,
                                        const CancelToken& cancel) {
  for (Backoff backoff(client_.metadata_retry());;) {
    std::string bytes;
    const RangeOutcome outcome = ReadOnce(
        request,
        [&](std::string_view piece) {
          bytes.append(piece);
          return OkStatus();
        },
        cancel);
    if (file_size != nullptr && outcome.file_size >= 0) *file_size = outcome.file_size;
    if (outcome.status.ok()) return bytes;
    if (outcome.status.code() == StatusCode::kOutOfRange) return std::string();
    if (!IsRetryable(outcome.status)) return outcome.status;
    LLMD_RETURN_IF_ERROR(backoff.WaitAfter(outcome.status, outcome.asked, cancel));
  }
}

}  // namespace llmd::hub
