#include "detectors/probe_safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llmd::detectors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string LengthBytes(uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>((length >> (8 * i)) & 0xFF));
  return bytes;
}

// The size of a file with that header and `data` bytes of tensors.
int64_t FileOf(const std::string& header, int64_t data) {
  return 8 + static_cast<int64_t>(header.size()) + data;
}

std::string ErrorOf(const std::string& header, int64_t size = 1'000'000) {
  SafetensorsFacts facts;
  const Status status = AddSafetensorsHeader("x.safetensors", header, size, facts);
  EXPECT_EQ(facts.files.size(), status.ok() ? 1u : 0u) << "a broken header left traces";
  return status.ok() ? "no error" : Message(status);
}

TEST(ProbeSafetensorsTest, CountsByType) {
  SafetensorsFacts facts;
  const std::string header = R"({"__metadata__": {"format": "pt"},
    "b": {"dtype": "F32", "shape": [], "data_offsets": [12, 16]},
    "a": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}})";
  const Status status = AddSafetensorsHeader("x.safetensors", header, FileOf(header, 16), facts);
  ASSERT_TRUE(status.ok()) << Message(status);
  EXPECT_THAT(facts.parameters_by_dtype, ElementsAre(Pair("BF16", 6), Pair("F32", 1)));
  EXPECT_EQ(facts.parameters, 7);
  EXPECT_EQ(facts.weight_bytes, 16);
  EXPECT_THAT(facts.tensor_names, ElementsAre("a", "b"));
}

TEST(ProbeSafetensorsTest, AddsShardsUp) {
  SafetensorsFacts facts;
  const std::string header = R"({"a": {"dtype": "F16", "shape": [5], "data_offsets": [0, 10]}})";
  ASSERT_TRUE(AddSafetensorsHeader("1", header, FileOf(header, 10), facts).ok());
  ASSERT_TRUE(AddSafetensorsHeader("2", header, FileOf(header, 10), facts).ok());
  EXPECT_EQ(facts.parameters, 10);
  EXPECT_THAT(facts.files, ElementsAre("1", "2"));
}

TEST(ProbeSafetensorsTest, UnknownTypesAreAsLongAsTheirOffsets) {
  SafetensorsFacts facts;
  const std::string header = R"({"a": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}})";
  EXPECT_TRUE(AddSafetensorsHeader("x", header, FileOf(header, 4), facts).ok());
}

TEST(ProbeSafetensorsTest, RefusesClaimsThatCannotBe) {
  EXPECT_THAT(ErrorOf(R"({"a": {"dtype": "F32", "shape": [9223372036854775807, 2],
                                "data_offsets": [0, 8]}})"),
              HasSubstr("larger than 2^63"));
  EXPECT_THAT(
      ErrorOf(R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 9223372036854775807]}})"),
      HasSubstr("beyond the file"));
  EXPECT_THAT(ErrorOf(R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}})"),
              HasSubstr("beyond the file"));
  EXPECT_THAT(ErrorOf(R"({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 4]}})"),
              HasSubstr("disagree"));
  EXPECT_THAT(ErrorOf(R"({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}})"),
              HasSubstr("negative"));
  EXPECT_THAT(ErrorOf(R"({"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}})"),
              HasSubstr("fraction"));
  EXPECT_THAT(ErrorOf(R"({"a": {"shape": [1], "data_offsets": [0, 4]}})"),
              HasSubstr("lacks its type"));
  EXPECT_THAT(ErrorOf(R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})", 40),
              HasSubstr("longer than the file"));
}

TEST(ProbeSafetensorsTest, TensorsCoverTheData) {
  const auto look = [](int begin, int end, int64_t data) {
    const std::string header = fmt::format(
        R"({{"a": {{"dtype": "U8", "shape": [20], "data_offsets": [0, 20]}},
            "b": {{"dtype": "U8", "shape": [{}], "data_offsets": [{}, {}]}}}})",
        end - begin, begin, end);
    return ErrorOf(header, FileOf(header, data));
  };
  EXPECT_EQ(look(20, 40, 40), "no error");
  EXPECT_EQ(look(20, 20, 20), "no error");
  EXPECT_THAT(look(10, 30, 30), HasSubstr("tensors overlap at byte 10"));
  EXPECT_THAT(look(30, 40, 40), HasSubstr("no tensor has the bytes 20 to 30"));
  EXPECT_EQ(look(20, 40, 50), "no error");  // behind the last one
}

TEST(ProbeSafetensorsTest, RefusesOtherJson) {
  for (const char* header : {"[]", "1", "{\"a\": 1}", "{\"a\": [1]}",
                             "{\"a\": {\"b\": {\"c\": 1}}}", "{", "", "{\"a\": {\"x\": [1]}}"}) {
    EXPECT_THAT(ErrorOf(header), HasSubstr("broken safetensors header")) << header;
  }
}

TEST(ProbeSafetensorsTest, DeepNestingIsRefusedAtOnce) {
  EXPECT_THAT(ErrorOf(std::string(1'000'000, '['), 2'000'000),
              HasSubstr("broken safetensors header"));
}

TEST(SafetensorsLengthTest, StaysWithinFileAndLimit) {
  EXPECT_EQ(SafetensorsHeaderLength(LengthBytes(100), 1'000).value(), 100);
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{1}, uint64_t{993}, uint64_t{1} << 63, ~uint64_t{0}}) {
    EXPECT_FALSE(SafetensorsHeaderLength(LengthBytes(length), 1'000).ok()) << length;
  }
  EXPECT_FALSE(SafetensorsHeaderLength(LengthBytes(30'000'000), int64_t{1} << 40).ok());
}

TEST(SafetensorsLengthTest, KnowsLfsPointers) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  EXPECT_THAT(Message(SafetensorsHeaderLength(pointer, 134).status()), HasSubstr("Git LFS"));
  EXPECT_THAT(Message(SafetensorsHeaderLength("", 134).status()), HasSubstr("broken"));
  EXPECT_THAT(Message(SafetensorsHeaderLength("garbage garbage", 15).status()),
              HasSubstr("broken"));
}

}  // namespace
}  // namespace llmd::detectors
