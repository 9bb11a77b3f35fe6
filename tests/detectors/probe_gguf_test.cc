#include "detectors/probe_gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "golden/weight_heads.h"

namespace llmd::detectors {
namespace {

using ::testing::HasSubstr;

// Writes headers byte by byte, right or wrong.
class Header {
 public:
  explicit Header(int64_t tensors = 0, int64_t keys = 0, uint32_t version = 3) {
    bytes_ = "GGUF";
    Put(version).Put(tensors).Put(keys);
  }
  template <typename T>
  Header& Put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes_.append(raw, sizeof(T));
    return *this;
  }
  Header& Text(const std::string& text) {
    Put<uint64_t>(text.size());
    bytes_ += text;
    return *this;
  }
  Header& Tensor(const std::string& name, const std::vector<uint64_t>& dimensions,
                 uint32_t type = 0, uint64_t offset = 0) {
    Text(name).Put(static_cast<uint32_t>(dimensions.size()));
    for (const uint64_t dimension : dimensions) Put(dimension);
    return Put(type).Put(offset);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string ErrorOf(const std::string& bytes, int64_t size = 1'000'000) {
  GgufFacts facts{.file = "x.gguf"};
  const GgufRead read = ReadGgufHeader(bytes, size, facts);
  if (read == GgufRead::kNeedMore) return "need more";
  return read == GgufRead::kWhole ? "whole" : facts.error;
}

TEST(ProbeGgufTest, ReadsKeysAndTensors) {
  GgufFacts facts{.file = "x.gguf"};
  const std::string head = llmd::testing::GgufHead({{"general.architecture", "llama"},
                                                    {"llama.block_count", 2},
                                                    {"llama.rope.freq_base", 0.5},
                                                    {"flag", true},
                                                    {"tokenizer.ggml.tokens", {"a", "bc", "def"}},
                                                    {"tokenizer.chat_template", "{{ tools }}"}});
  ASSERT_EQ(ReadGgufHeader(head, 1'000'000, facts), GgufRead::kWhole) << facts.error;
  EXPECT_EQ(facts.file, "x.gguf");
  EXPECT_EQ(facts.strings["general.architecture"], "llama");
  EXPECT_EQ(facts.integers["llama.block_count"], 2);
  EXPECT_EQ(facts.integers["flag"], 1);
  EXPECT_EQ(facts.floats["llama.rope.freq_base"], 0.5);
  EXPECT_EQ(facts.array_sizes["tokenizer.ggml.tokens"], 3);
  EXPECT_TRUE(facts.has_chat_template);
  EXPECT_EQ(facts.tensors_by_type["F32"], 32);
  EXPECT_EQ(facts.tensor_bytes, 128);
}

TEST(ProbeGgufTest, EveryPrefixAsksForMore) {
  const std::string head = llmd::testing::GgufHead(
      {{"general.architecture", "llama"}, {"a.list", {1, 2, 3}}, {"b.texts", {"x", "y"}}});
  for (size_t length = 0; length < head.size(); ++length) {
    EXPECT_EQ(ErrorOf(head.substr(0, length)), "need more") << length;
  }
  EXPECT_EQ(ErrorOf(head), "whole");
  EXPECT_EQ(ErrorOf(head + "weights"), "whole");
}

TEST(ProbeGgufTest, HeadsThatDifferByLayerAreCounted) {
  GgufFacts facts;
  Header header(1, 1);
  header.Text("x.attention.head_count_kv").Put<uint32_t>(9).Put<uint32_t>(4).Put<uint64_t>(4);
  for (const uint32_t heads : {0u, 8u, 0u, 8u}) header.Put(heads);
  header.Tensor("t", {4});
  ASSERT_EQ(ReadGgufHeader(header.bytes(), 1'000, facts), GgufRead::kWhole) << facts.error;
  EXPECT_EQ(facts.integers["x.attention.head_count_kv"], 8);
  EXPECT_EQ(facts.integers["x.attention.head_count_kv.layers"], 2);
}

TEST(ProbeGgufTest, LayersThatKeepAWindowAreCounted) {
  GgufFacts facts;
  Header header(1, 1);
  header.Text("x.attention.sliding_window_pattern")
      .Put<uint32_t>(9)
      .Put<uint32_t>(7)
      .Put<uint64_t>(4);
  for (const bool slides : {true, true, false, true}) header.Put(slides);
  header.Tensor("t", {4});
  ASSERT_EQ(ReadGgufHeader(header.bytes(), 1'000, facts), GgufRead::kWhole) << facts.error;
  EXPECT_EQ(facts.integers["x.attention.sliding_window_pattern.layers"], 3);
}

TEST(ProbeGgufTest, RefusesWhatIsNoHeader) {
  EXPECT_THAT(ErrorOf("GGML...."), HasSubstr("no GGUF file"));
  EXPECT_THAT(ErrorOf(std::string(100, '\0')), HasSubstr("no GGUF file"));
  EXPECT_THAT(ErrorOf(Header(0, 0, 1).bytes()), HasSubstr("version 1"));
  EXPECT_THAT(ErrorOf(Header(0, 0, 0x0300'0000).bytes()), HasSubstr("big-endian"));
}

TEST(ProbeGgufTest, RefusesImpossibleCounts) {
  EXPECT_THAT(ErrorOf(Header(-1, 0).bytes()), HasSubstr("claims"));
  EXPECT_THAT(ErrorOf(Header(0, int64_t{1} << 62).bytes()), HasSubstr("claims"));
  EXPECT_THAT(ErrorOf(Header(0, 1).Put(uint64_t{1} << 63).bytes()), HasSubstr("a key of"));
  EXPECT_THAT(ErrorOf(Header(0, 1).Text("k").Put<uint32_t>(8).Put(~uint64_t{0}).bytes()),
              HasSubstr("claims"));
  EXPECT_THAT(
      ErrorOf(Header(0, 1).Text("k").Put<uint32_t>(9).Put<uint32_t>(0).Put(~uint64_t{0}).bytes()),
      HasSubstr("claims"));
}

TEST(ProbeGgufTest, RefusesStrangeKeysAndLists) {
  EXPECT_THAT(ErrorOf(Header(0, 1).Text("").Put<uint32_t>(0).bytes()), HasSubstr("no text"));
  EXPECT_THAT(ErrorOf(Header(0, 1).Text("\xFF").Put<uint32_t>(0).bytes()), HasSubstr("no text"));
  EXPECT_THAT(ErrorOf(Header(0, 1).Text("k").Put<uint32_t>(13).bytes()), HasSubstr("unknown type"));
  EXPECT_THAT(
      ErrorOf(Header(0, 1).Text("k").Put<uint32_t>(9).Put<uint32_t>(9).Put<uint64_t>(1).bytes()),
      HasSubstr("strange list"));
  Header twice(0, 2);
  twice.Text("k").Put<uint32_t>(7).Put<uint8_t>(1).Text("k").Put<uint32_t>(7).Put<uint8_t>(1);
  EXPECT_THAT(ErrorOf(twice.bytes()), HasSubstr("twice"));
}

TEST(ProbeGgufTest, RefusesImpossibleTensors) {
  const auto tensor = [](std::vector<uint64_t> dimensions) {
    return Header(1, 0).Tensor("t", dimensions).bytes();
  };
  EXPECT_EQ(ErrorOf(tensor({4, 4})), "whole");
  EXPECT_THAT(ErrorOf(tensor({1, 1, 1, 1, 1})), HasSubstr("5 dimensions"));
  EXPECT_THAT(ErrorOf(tensor({uint64_t{1} << 40, uint64_t{1} << 40})),
              HasSubstr("larger than 2^63"));
  EXPECT_THAT(ErrorOf(tensor({~uint64_t{0}})), HasSubstr("larger than 2^63"));
}

TEST(ProbeGgufTest, TensorsFitIntoTheFile) {
  // Header 24, name 12, dimensions 12, type and offset 12: data begins at 64.
  const std::string whole = Header(1, 0).Tensor("t", {1, 4}).bytes();
  const auto data = static_cast<int64_t>((whole.size() + 31) / 32 * 32);
  EXPECT_EQ(ErrorOf(whole, data + 16), "whole");
  EXPECT_THAT(ErrorOf(whole, data + 15), HasSubstr("and the file has"));
  const uint64_t many = 1'000'000'000'000;
  EXPECT_THAT(ErrorOf(Header(1, 0).Tensor("t", {many}).bytes(), 5'000),
              HasSubstr("larger than the file"));
  EXPECT_THAT(ErrorOf(Header(1, 0).Tensor("t", {many}, 999).bytes(), 5'000),
              HasSubstr("larger than the file"));
  EXPECT_THAT(ErrorOf(Header(1, 0).Tensor("t", {4}, 0, 1'000'000).bytes(), 5'000),
              HasSubstr("and the file has"));
  EXPECT_THAT(ErrorOf(Header(1, 0).Tensor("t", {4}, 0, ~uint64_t{0}).bytes(), 5'000),
              HasSubstr("larger than the file"));
  const auto two = [](uint64_t offset) {
    return Header(2, 0).Tensor("a", {8}).Tensor("b", {8}, 0, offset).bytes();
  };
  EXPECT_EQ(ErrorOf(two(32)), "whole");
  EXPECT_THAT(ErrorOf(two(16)), HasSubstr("overlap"));
}

TEST(ProbeGgufTest, OnlySplitsMayHaveNoTensors) {
  EXPECT_THAT(ErrorOf(Header(0, 0).bytes()), HasSubstr("no tensors"));
  Header split(0, 1);
  split.Text("split.count").Put<uint32_t>(2).Put<uint16_t>(3);
  EXPECT_EQ(ErrorOf(split.bytes()), "whole");
}

TEST(ProbeGgufTest, SizesBeyondAnyModelAreBroken) {
  Header header(1, 1);
  header.Text("llama.block_count").Put<uint32_t>(10).Put(uint64_t{1} << 63).Tensor("t", {4});
  EXPECT_THAT(ErrorOf(header.bytes()), HasSubstr("'llama.block_count' is 9223372036854775808"));
}

}  // namespace
}  // namespace llmd::detectors
