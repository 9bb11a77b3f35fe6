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
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string ErrorOf(const std::string& bytes) {
  GgufFacts facts{.file = "x.gguf"};
  const GgufRead read = ReadGgufHeader(bytes, facts);
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
  ASSERT_EQ(ReadGgufHeader(head, facts), GgufRead::kWhole) << facts.error;
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
  Header header(0, 1);
  header.Text("x.attention.head_count_kv").Put<uint32_t>(9).Put<uint32_t>(4).Put<uint64_t>(4);
  for (const uint32_t heads : {0u, 8u, 0u, 8u}) header.Put(heads);
  ASSERT_EQ(ReadGgufHeader(header.bytes(), facts), GgufRead::kWhole);
  EXPECT_EQ(facts.integers["x.attention.head_count_kv"], 8);
  EXPECT_EQ(facts.integers["x.attention.head_count_kv.layers"], 2);
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
    Header header(1, 0);
    header.Text("t").Put(static_cast<uint32_t>(dimensions.size()));
    for (const uint64_t dimension : dimensions) header.Put(dimension);
    return header.Put<uint32_t>(0).Put<uint64_t>(0).bytes();
  };
  EXPECT_EQ(ErrorOf(tensor({4, 4})), "whole");
  EXPECT_THAT(ErrorOf(tensor({1, 1, 1, 1, 1})), HasSubstr("5 dimensions"));
  EXPECT_THAT(ErrorOf(tensor({uint64_t{1} << 40, uint64_t{1} << 40})),
              HasSubstr("larger than 2^63"));
  EXPECT_THAT(ErrorOf(tensor({~uint64_t{0}})), HasSubstr("larger than 2^63"));
}

}  // namespace
}  // namespace llmd::detectors
