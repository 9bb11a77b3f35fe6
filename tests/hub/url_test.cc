#include "hub/url.h"

#include "hub/status_matchers.h"

namespace llmd::hub {
namespace {

using ::llmd::testing::FailsWith;
using ::llmd::testing::IsOk;

TEST(ParseUrl, FindsTheOrigin) {
  const auto url = ParseUrl("HTTPS://Hub.Example/api?x=1");
  ASSERT_THAT(url, IsOk());
  EXPECT_EQ(url->Origin(), "https://hub.example:443");
  EXPECT_EQ(ParseUrl("http://127.0.0.1:8080")->Origin(), "http://127.0.0.1:8080");
}

TEST(ParseUrl, RefusesWhatIsNoHttpAddress) {
  for (const char* text : {"", "hub", "ftp://hub/", "file:///etc/passwd", "http://",
                           "http://user:secret@hub/", "http://hub:99999/", "gopher://hub"}) {
    EXPECT_EQ(ParseUrl(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(ParseUrl, KeepsSecretsOfTheQueryOutOfMessages) {
  const auto url = ParseUrl("ftp://hub/x?Signature=secret");
  EXPECT_EQ(Message(url.status()).find("secret"), std::string::npos);
}

TEST(SameOrigin, ComparesSchemeHostAndPort) {
  const Url hub = *ParseUrl("https://hub.example/a");
  EXPECT_TRUE(hub.SameOrigin(*ParseUrl("https://HUB.example:443/b")));
  for (const char* other :
       {"http://hub.example/", "https://hub.example:8443/", "https://hub.example.evil/",
        "https://evil/hub.example", "https://sub.hub.example/"}) {
    EXPECT_FALSE(hub.SameOrigin(*ParseUrl(other))) << other;
  }
}

TEST(FollowReference, KeepsTheQueryByteForByte) {
  const Url base = *ParseUrl("https://hub.example/a/resolve/main/x.json");
  const std::string reference = "/api/resolve-cache/m/x?%2Fa%2Fx=&etag=%22abc%22";
  EXPECT_EQ(FollowReference(base, reference)->text, "https://hub.example" + reference);
}

TEST(FollowReference, SeesOtherOrigins) {
  const Url base = *ParseUrl("https://hub.example/a");
  EXPECT_EQ(FollowReference(base, "//evil.example/b")->Origin(), "https://evil.example:443");
  EXPECT_EQ(FollowReference(base, "https://evil.example/b")->Origin(), "https://evil.example:443");
  EXPECT_EQ(FollowReference(base, "b")->Origin(), "https://hub.example:443");
}

TEST(FollowReference, RefusesToLeaveEncryptionAndHttp) {
  const Url base = *ParseUrl("https://hub.example/a");
  for (const char* reference : {"http://hub.example/a", "file:///etc/passwd", "ftp://hub.example/",
                                "https://user:pw@hub.example/", "https://:0/"}) {
    EXPECT_THAT(FollowReference(base, reference),
                FailsWith(StatusCode::kFailedPrecondition, "unsafe_redirect"))
        << reference;
  }
}

TEST(Encode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(EncodeSegment("refs/pr/1"), "refs%2Fpr%2F1");
  EXPECT_EQ(EncodePath("a b/c#d?e%.json"), "a%20b/c%23d%3Fe%25.json");
  EXPECT_EQ(EncodePath("modell-\xC3\xBC.bin"), "modell-%C3%BC.bin");
  EXPECT_EQ(EncodeSegment("a-b.c_d~e"), "a-b.c_d~e");
}

TEST(NextLink, FindsTheNextPageAmongOthers) {
  EXPECT_EQ(NextLink("<https://hub/tree?cursor=a%3D>; rel=\"next\""),
            "https://hub/tree?cursor=a%3D");
  EXPECT_EQ(NextLink("<https://hub/1>; rel=\"prev\", <https://hub/3>; rel=next"), "https://hub/3");
  for (const char* none : {"", "<>", "<https://hub/1", "rel=\"next\"", "<a>; rel=\"prev\""}) {
    EXPECT_EQ(NextLink(none), "") << none;
  }
}

}  // namespace
}  // namespace llmd::hub
