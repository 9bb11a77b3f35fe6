#include "hub/range_reader.h"

#include <algorithm>
#include <charconv>

#include "domain/names.h"
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

Status SizeMismatch(const RangeRequest& request, std::string_view found) {
  return MakeStatus(StatusCode::kDataLoss,
                    fmt::format("{} has another size than listed: {} bytes, the server says '{}'",
                                request.path, request.file_size, found),
                    {.code = "size_mismatch",
                     .next_step = "Try again; if it stays so, the source's list is wrong."});
}

}  // namespace

// Checks one answer against its request and counts its bytes.
class RangeReader::RangeAnswer {
 public:
  RangeAnswer(const RangeRequest& request, const Sink& sink)
      : request_(request), sink_(sink), end_(request.offset + request.length) {
    if (request.file_size >= 0) end_ = std::min(end_, request.file_size);
  }

  StatusOr<bool> TakeHead(const HttpResponse& head) {
    http_status_ = head.status;
    if (head.status != 200 && head.status != 206) return false;
    if (const std::string encoding = head.Header("content-encoding");
        !encoding.empty() && encoding != "identity") {
      return HubError(fmt::format("{} comes as '{}' although plain bytes were asked for",
                                  request_.path, SanitizeForTerminal(encoding)));
    }
    LLMD_RETURN_IF_ERROR(head.status == 206 ? TakePartial(head) : TakeWhole(head));
    return true;
  }

  Status TakeBytes(std::string_view bytes) {
    const int64_t left = end_ - request_.offset - received_;
    if (static_cast<int64_t>(bytes.size()) > left) {
      // Who ignores Range sends what nobody asked for; anybody else may not.
      if (http_status_ == 206) {
        return HubError(fmt::format("{}: more bytes than announced", request_.path));
      }
      bytes = bytes.substr(0, static_cast<size_t>(left));
      enough_ = true;
    }
    received_ += static_cast<int64_t>(bytes.size());
    LLMD_RETURN_IF_ERROR(sink_(bytes));
    return enough_ ? MakeStatus(StatusCode::kOutOfRange, "enough") : OkStatus();
  }

  Status CheckComplete() const {
    if (received_ == end_ - request_.offset) return OkStatus();
    return HubError(fmt::format("{}: the answer ended after {} of {} bytes", request_.path,
                                received_, end_ - request_.offset));
  }

  int http_status() const { return http_status_; }
  // The rest of the answer was not wanted.
  bool enough() const { return enough_; }

 private:
  Status TakePartial(const HttpResponse& head) {
    const std::string text = SanitizeForTerminal(head.Header("content-range"));
    const auto range = ParseContentRange(text);
    if (range && range->total >= 0 && request_.file_size >= 0 &&
        range->total != request_.file_size) {
      return SizeMismatch(request_, text);
    }
    const bool right = range && range->first == request_.offset && range->last < end_ &&
                       (request_.file_size < 0 || range->last + 1 == end_);
    if (!right) {
      return HubError(fmt::format("{}: asked for bytes {}-{} of {}, the answer is '{}'",
                                  request_.path, request_.offset, end_ - 1, request_.file_size,
                                  text));
    }
    end_ = range->last + 1;
    return OkStatus();
  }

  // The server ignored Range.
  Status TakeWhole(const HttpResponse& head) {
    const std::string length = head.Header("content-length");
    std::string_view text = length;
    int64_t total = -1;
    const bool known = !length.empty() && TakeNumber(text, total) && text.empty();
    if (known && request_.file_size >= 0 && total != request_.file_size) {
      return SizeMismatch(request_, SanitizeForTerminal(length));
    }
    if (request_.offset != 0) {
      return HubError(fmt::format("{}: asked for bytes from {}, the answer is the whole file",
                                  request_.path, request_.offset));
    }
    if (known) end_ = std::min(end_, total);
    return OkStatus();
  }

  const RangeRequest& request_;
  const Sink& sink_;
  int http_status_ = 0;
  int64_t end_ = 0;  // offset in the file after the last byte that is wanted
  int64_t received_ = 0;
  bool enough_ = false;
};

Url RangeReader::ResolveUrl(const std::string& path) const {
  Url url = client_.endpoint();
  url.text =
      fmt::format("{}/{}/resolve/{}/{}", client_.base(), repo_id_, commit_, EncodePath(path));
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
  const StatusOr<Answer> sent = client_.Send({.url = url,
                                              .headers = {range},
                                              .bulk = true,
                                              .fresh_connection = request.fresh_connection,
                                              .max_body = 64u << 10,
                                              .patience = request.patience},
                                             &stream, cancel);
  *http_status = answer.http_status();
  if (answer.enough() && !cancel.IsCancelled()) return {};
  if (!sent.ok()) return {.status = sent.status()};
  if (*http_status == 200 || *http_status == 206) {
    Remember(request.path, sent->url);
    return {.status = answer.CheckComplete()};
  }
  return {.status = Refusal(*sent, request), .asked = AskedWait(sent->response)};
}

Status RangeReader::Refusal(const Answer& answer, const RangeRequest& request) const {
  const int status = answer.response.status;
  if (status == 416) return SizeMismatch(request, answer.response.Header("content-range"));
  // Only the Hub itself says who may read what; from its file servers it means an address that is
  // not good any more.
  if (!answer.url.SameOrigin(client_.endpoint()) && status >= 400 && status < 500) {
    return HubError(
        fmt::format("{} answered {} for {}", answer.url.Origin(), status, request.path));
  }
  return ErrorFromAnswer(answer.response, {.endpoint = client_.base(),
                                           .repo_id = repo_id_,
                                           .revision = commit_,
                                           .path = request.path,
                                           .has_token = client_.has_token()});
}

RangeOutcome RangeReader::ReadOnce(const RangeRequest& request, const Sink& sink,
                                   const CancelToken& cancel) {
  int http_status = 0;
  if (const auto known = SignedUrl(request.path)) {
    RangeOutcome outcome = Exchange(*known, request, sink, cancel, &http_status);
    if (!outcome.status.ok()) Forget(request.path);
    const bool expired = http_status == 400 || http_status == 403 || http_status == 404;
    if (!expired) return outcome;
  }
  return Exchange(ResolveUrl(request.path), request, sink, cancel, &http_status);
}

StatusOr<std::string> RangeReader::Read(const RangeRequest& request, const CancelToken& cancel) {
  for (Backoff backoff(client_.metadata_retry());;) {
    std::string bytes;
    const RangeOutcome outcome = ReadOnce(
        request,
        [&](std::string_view piece) {
          bytes.append(piece);
          return OkStatus();
        },
        cancel);
    if (outcome.status.ok()) return bytes;
    if (!IsRetryable(outcome.status)) return outcome.status;
    LLMD_RETURN_IF_ERROR(backoff.WaitAfter(outcome.status, outcome.asked, cancel));
  }
}

}  // namespace llmd::hub
