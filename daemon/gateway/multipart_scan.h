// Finds form fields in a multipart/form-data body while it streams by: the part named "model" may
// come after a file of hundreds of megabytes. Keeps only what it looks for. One object per body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::gateway {

class MultipartScan {
 public:
  struct Found {
    std::string value;
    uint64_t begin = 0;  // of the value, from the body's start
    uint64_t end = 0;
  };

  // Looks for the part with this name.
  MultipartScan(std::string_view boundary, std::string name);

  // The next bytes of the body. kInvalidArgument (code "invalid_multipart", "duplicate_key").
  Status Feed(std::string_view bytes);
  // After the last byte: kInvalidArgument when the closing boundary did not come.
  Status Finish() const;

  const std::optional<Found>& found() const { return found_; }

 private:
  enum class State { kPreamble, kAfterBoundary, kHeaders, kData, kDone };
  // Each takes what it can off `window_`; false when it needs more bytes.
  bool StepToBoundary(Status& status);
  bool StepAfterBoundary(Status& status);
  bool StepHeaders(Status& status);
  void Drop(size_t bytes);
  Status StartPart(std::string_view headers);

  std::string delimiter_;  // "\r\n--boundary"
  std::string name_;
  State state_ = State::kPreamble;
  std::string window_;   // bytes that are not decided yet
  uint64_t offset_ = 0;  // of the window, two more than from the body's start
  int parts_ = 0;
  bool capturing_ = false;
  std::string captured_;
  uint64_t captured_at_ = 0;
  std::optional<Found> found_;
};

// The boundary of a multipart/form-data content type; empty when it has none that is allowed.
std::string BoundaryOf(std::string_view content_type);

}  // namespace llmd::gateway
