#include "base/status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace llmd {
namespace {

TEST(StatusTest, BuildersFormatAndSetTheCode) {
  const Status status = InvalidArgument("port '{}' is not {}", "x", 7);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status), "port 'x' is not 7");
  EXPECT_EQ(Cancelled().code(), StatusCode::kCancelled);
}

TEST(StatusTest, InfoTravelsWithTheStatus) {
  const Status status =
      MakeStatus(StatusCode::kNotFound, "gone", {.code = "model_not_found", .next_step = "Look."});
  EXPECT_EQ(GetErrorInfo(status).code, "model_not_found");
  EXPECT_EQ(GetErrorInfo(status).next_step, "Look.");
  const Status annotated = Annotate(status, "start");
  EXPECT_EQ(Message(annotated), "start: gone");
  EXPECT_EQ(annotated.code(), StatusCode::kNotFound);
  EXPECT_EQ(GetErrorInfo(annotated).code, "model_not_found");
  const Status replaced = WithInfo(annotated, {.code = "other", .next_step = ""});
  EXPECT_EQ(GetErrorInfo(replaced).code, "other");
  EXPECT_EQ(GetErrorInfo(replaced).next_step, "");
}

TEST(StatusTest, ANextStepMayHaveSeveralLines) {
  const Status status = MakeStatus(StatusCode::kInternal, "x", {.code = "c", .next_step = "a\nb"});
  EXPECT_EQ(GetErrorInfo(status).next_step, "a\nb");
}

TEST(StatusTest, WithoutInfoTheCodeIsTheStatusCodesName) {
  EXPECT_EQ(GetErrorInfo(Unavailable("later")).code, "unavailable");
  EXPECT_EQ(GetErrorInfo(Unavailable("later")).next_step, "");
}

TEST(StatusTest, OkStaysOk) {
  EXPECT_TRUE(WithInfo(OkStatus(), {.code = "c", .next_step = ""}).ok());
  EXPECT_TRUE(Annotate(OkStatus(), "context").ok());
}

TEST(StatusTest, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= 16; ++code) names.insert(StatusCodeName(StatusCode{code}));
  EXPECT_EQ(names.size(), 17u);
  EXPECT_EQ(StatusCodeName(StatusCode{99}), "unknown");
}

TEST(StatusTest, ErrnoBecomesTheFittingCode) {
  EXPECT_EQ(ErrnoStatus(ENOENT, "f").code(), StatusCode::kNotFound);
  EXPECT_EQ(ErrnoStatus(EEXIST, "f").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrnoStatus(EACCES, "f").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrnoStatus(EROFS, "f").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrnoStatus(EIO, "f").code(), StatusCode::kInternal);
  const Status full = ErrnoStatus(ENOSPC, "cannot write f");
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(full).code, "disk_full");
  EXPECT_TRUE(Message(full).starts_with("cannot write f: "));
}

StatusOr<int> Half(int n) {
  if (n % 2 != 0) return InvalidArgument("{} is odd", n);
  return n / 2;
}
StatusOr<int> Quarter(int n) {
  LLMD_ASSIGN_OR_RETURN(const int half, Half(n));
  LLMD_RETURN_IF_ERROR(OkStatus());
  LLMD_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST(StatusTest, MacrosPassValuesAndErrorsOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Message(Quarter(6).status()), "3 is odd");
}

}  // namespace
}  // namespace llmd
