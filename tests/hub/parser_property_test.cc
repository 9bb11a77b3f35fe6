// Whatever bytes come in, the parsers answer or refuse: they neither crash nor take for ever.
#include <nlohmann/json.hpp>
#include <random>

#include "base/json_reader.h"
#include "domain/names.h"
#include "hub/http_transport.h"
#include "hub/hub_error.h"
#include "hub/metadata_cache.h"
#include "hub/model_card.h"
#include "hub/repository_info.h"
#include "hub/retry.h"
#include "hub/status_matchers.h"
#include "hub/url.h"

namespace llmd::hub {
namespace {

constexpr int kRounds = 3000;

class ParserPropertyTest : public ::testing::Test {
 protected:
  // Random bytes, or a known good text with some of its bytes changed, cut and doubled.
  std::string Noise(const std::string& good) {
    std::string text = Below(4) == 0 ? std::string(Below(200), '\0') : good;
    for (char& c : text) {
      if (c == '\0') c = static_cast<char>(Below(256));
    }
    for (size_t changes = Below(6); changes > 0 && !text.empty(); --changes) {
      const size_t at = Below(text.size());
      switch (Below(4)) {
        case 0: text[at] = static_cast<char>(Below(256)); break;
        case 1: text.erase(at, Below(8)); break;
        case 2: text.insert(at, text.substr(at, Below(40))); break;
        default: text.insert(at, 1, "<>\"{}[]:;,=/\\%?#@ \n"[Below(20)]);
      }
    }
    return text;
  }
  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }

  std::mt19937 random_{20260101};
};

TEST_F(ParserPropertyTest, Urls) {
  const Url base = *ParseUrl("https://hub.example/a/b");
  for (int i = 0; i < kRounds; ++i) {
    const std::string text = Noise("https://hub.example:8443/acme/tiny/resolve/main/x?y=%20z");
    if (const auto url = ParseUrl(text); url.ok()) {
      EXPECT_TRUE(url->scheme == "http" || url->scheme == "https");
      EXPECT_FALSE(url->host.empty());
      EXPECT_EQ(ParseUrl(url->text)->Origin(), url->Origin());
    }
    if (const auto url = FollowReference(base, text); url.ok()) {
      EXPECT_EQ(url->scheme, "https");
    }
    const std::string encoded = EncodePath(text);
    EXPECT_EQ(encoded.find_first_of("?#\\ \n%",
                                    encoded.find('%') == std::string::npos ? 0 : encoded.size()),
              std::string::npos);
    NextLink(Noise("<https://hub/tree?cursor=1>; rel=\"next\", <https://hub/2>; rel=\"last\""));
  }
}

TEST_F(ParserPropertyTest, HubAnswers) {
  const std::string info =
      R"({"id":"acme/tiny","sha":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","gated":false,)"
      R"("tags":["a","license:mit"],"cardData":{"license":["mit"],"base_model":"a/b"}})";
  const std::string tree =
      R"([{"type":"file","path":"a/b.bin","size":12,"oid":"x","lfs":{"oid":"y","size":3}},)"
      R"({"type":"directory","path":"a"},{"type":"file","path":"c","size":1}])";
  for (int i = 0; i < kRounds; ++i) {
    if (const auto json = ParseJson(Noise(info), "info"); json.ok()) {
      if (const auto parsed = ParseModelInfo(*json, "acme/tiny"); parsed.ok()) {
        EXPECT_TRUE(IsHex(*parsed->revision, 40));
        EXPECT_TRUE(ValidateRepoId(parsed->repo_id).ok());
      }
    }
    std::vector<FileEntry> files;
    if (const auto json = ParseJson(Noise(tree), "tree"); json.ok()) {
      if (AppendTreePage(*json, files).ok()) {
        for (const FileEntry& file : files) {
          EXPECT_TRUE(ValidateRepoPath(file.path).ok());
          EXPECT_GE(file.size, 0);
        }
      }
    }
    const HttpResponse response{.status = static_cast<int>(Below(700)),
                                .headers = {{"ratelimit", Noise("\"api\";r=0;t=55")},
                                            {"retry-after", Noise("120")},
                                            {"x-error-message", Noise("Access denied")}},
                                .body = Noise(R"({"error":"no"})")};
    AskedWait(response);
    EXPECT_FALSE(ErrorFromAnswer(response, {.endpoint = "https://hub", .repo_id = "a/b"}).ok());
  }
}

TEST_F(ParserPropertyTest, ModelCards) {
  for (int i = 0; i < kRounds; ++i) {
    RepositoryInfo info;
    TakeModelCard(Noise("---\nlicense: mit\ntags:\n- a\n- b\nbase_model: [x/y]\n---\n# T\n"), info);
    EXPECT_LE(info.tags.size(), 1000u);
  }
}

}  // namespace
}  // namespace llmd::hub
