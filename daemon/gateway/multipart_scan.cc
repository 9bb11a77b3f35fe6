#include "gateway/multipart_scan.h"

#include <algorithm>
#include <cctype>

#include "gateway/openai_error.h"
#include "http/head.h"

namespace llmd::gateway {
namespace {

constexpr size_t kMaxHeaders = 8u << 10;
constexpr size_t kMaxValue = 1024;
constexpr int kMaxParts = 100;

Status BadMultipart(std::string_view what) {
  return BadRequest("invalid_multipart", fmt::format("the body is not valid form data: {}", what));
}

// One "; name=value" parameter off the front of `text`. False at the end and at what is none.
bool TakeParameter(std::string_view& text, std::string_view& name, std::string_view& value) {
  if (!text.starts_with(';')) return false;
  text = http::TrimSpace(text.substr(1));
  const size_t equals = text.find('=');
  if (equals == text.npos) return false;
  name = text.substr(0, equals);
  text.remove_prefix(equals + 1);
  if (text.starts_with('"')) {
    const size_t end = text.find('"', 1);
    if (end == text.npos) return false;
    value = text.substr(1, end - 1);
    text = http::TrimSpace(text.substr(end + 1));
  } else {
    const size_t end = std::min(text.find(';'), text.size());
    value = http::TrimSpace(text.substr(0, end));
    text.remove_prefix(end);
  }
  return true;
}

// The name in a Content-Disposition. Anything that another reader might take for another name is
// an error.
Status NameOf(std::string_view disposition, std::string_view& result) {
  const size_t kind = std::min(disposition.find(';'), disposition.size());
  if (!http::EqualsIgnoringCase(http::TrimSpace(disposition.substr(0, kind)), "form-data")) {
    return BadMultipart("a part is not form-data");
  }
  disposition.remove_prefix(kind);
  bool named = false;
  for (std::string_view name, value; TakeParameter(disposition, name, value);) {
    if (http::EqualsIgnoringCase(name, "name*")) return BadMultipart("a part has an encoded name");
    if (!http::EqualsIgnoringCase(name, "name")) continue;
    if (named) return BadMultipart("a part has two names");
    if (value.find_first_of("\\%") != value.npos) return BadMultipart("a part has an odd name");
    named = true;
    result = value;
  }
  if (!named) return BadMultipart("a part has no name");
  return OkStatus();
}

}  // namespace

MultipartScan::MultipartScan(std::string_view boundary, std::string name)
    : delimiter_("\r\n--" + std::string(boundary)), name_(std::move(name)) {
  // The first boundary has no line break before it: this one is ours, so offsets are two too many.
  window_ = "\r\n";
}

Status MultipartScan::Feed(std::string_view bytes) {
  window_ += bytes;
  Status status;
  for (bool more = true; more && status.ok();) {
    switch (state_) {
      case State::kPreamble:
      case State::kData: more = StepToBoundary(status); break;
      case State::kAfterBoundary: more = StepAfterBoundary(status); break;
      case State::kHeaders: more = StepHeaders(status); break;
      case State::kDone: window_.clear(); more = false;
    }
  }
  return status;
}

void MultipartScan::Drop(size_t bytes) {
  window_.erase(0, bytes);
  offset_ += bytes;
}

bool MultipartScan::StepToBoundary(Status& status) {
  const size_t at = window_.find(delimiter_);
  // Without a boundary all but a possible beginning of one is data.
  const size_t data = at != window_.npos                   ? at
                      : window_.size() < delimiter_.size() ? 0
                                                           : window_.size() - delimiter_.size() + 1;
  if (capturing_) {
    captured_.append(window_, 0, data);
    if (captured_.size() > kMaxValue) {
      status = BadMultipart(fmt::format("the field '{}' is too long", name_));
    }
  } else if (state_ == State::kPreamble && data > 0) {
    status = BadMultipart("it does not start with its boundary");
  }
  if (at == window_.npos) return Drop(data), false;
  if (capturing_) {
    const uint64_t end = offset_ + at - 2;
    found_ = Found{.value = captured_, .begin = captured_at_, .end = end};
    capturing_ = false;
  }
  Drop(at + delimiter_.size());
  state_ = State::kAfterBoundary;
  return true;
}

bool MultipartScan::StepAfterBoundary(Status& status) {
  if (window_.size() < 2) return false;
  const std::string_view next = std::string_view(window_).substr(0, 2);
  if (next == "--") {
    state_ = State::kDone;
  } else if (next == "\r\n" && ++parts_ <= kMaxParts) {
    state_ = State::kHeaders;
  } else {
    status = BadMultipart("it has too many parts, or text behind a boundary");
  }
  Drop(2);
  return true;
}

bool MultipartScan::StepHeaders(Status& status) {
  const size_t end = window_.find("\r\n\r\n");
  if (end == window_.npos || end > kMaxHeaders) {
    if (window_.size() > kMaxHeaders) status = BadMultipart("a part's head is too large");
    return false;
  }
  status = StartPart(std::string_view(window_).substr(0, end + 2));
  Drop(end + 4);
  captured_at_ = offset_ - 2;
  captured_.clear();
  state_ = State::kData;
  return true;
}

Status MultipartScan::StartPart(std::string_view headers) {
  std::string_view disposition;
  int dispositions = 0;
  while (!headers.empty()) {
    const size_t end = headers.find("\r\n");
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(end + 2);
    if (line.starts_with(' ') || line.starts_with('\t')) {
      return BadMultipart("a part has a folded line");
    }
    const size_t colon = line.find(':');
    if (colon == line.npos) return BadMultipart("a part has a line without a name");
    if (!http::EqualsIgnoringCase(line.substr(0, colon), "content-disposition")) continue;
    disposition = http::TrimSpace(line.substr(colon + 1));
    ++dispositions;
  }
  if (dispositions != 1) return BadMultipart("a part must say what it is, once");
  std::string_view name;
  LLMD_RETURN_IF_ERROR(NameOf(disposition, name));
  if (name != name_) return OkStatus();
  if (found_) {
    return BadRequest("duplicate_key", fmt::format("the body has the field '{}' twice", name_));
  }
  capturing_ = true;
  return OkStatus();
}

Status MultipartScan::Finish() const {
  if (state_ == State::kDone) return OkStatus();
  return BadMultipart("its closing boundary is missing");
}

std::string BoundaryOf(std::string_view content_type) {
  const size_t kind = std::min(content_type.find(';'), content_type.size());
  content_type.remove_prefix(kind);
  std::string boundary;
  for (std::string_view name, value; TakeParameter(content_type, name, value);) {
    if (!http::EqualsIgnoringCase(name, "boundary")) continue;
    if (!boundary.empty()) return {};
    boundary = value;
  }
  constexpr std::string_view kAllowed = "'()+_,-./:=? ";
  const bool plain = std::all_of(boundary.begin(), boundary.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || kAllowed.find(c) != kAllowed.npos;
  });
  return plain && boundary.size() <= 70 && !boundary.ends_with(' ') ? boundary : std::string();
}

}  // namespace llmd::gateway
