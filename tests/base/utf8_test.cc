#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace llmd {
namespace {

TEST(Utf8Test, AcceptsEveryCharacter) {
  using std::string_literals::operator""s;
  for (const std::string& text :
       {""s, "abc"s, "\0"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
        "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s,
        "grüße 你好 🙂"s}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
}

TEST(Utf8Test, RefusesWhatIsNoCharacter) {
  for (const char* text : {
           "\x80", "\xBF", "a\xFF", "\xFE", "\xC0\x80", "\xC0\xAF",
           "\xC1\xBF",                                  // overlong, two bytes
           "\xE0\x80\xAF", "\xE0\x9F\xBF",              // overlong, three
           "\xF0\x80\x80\xAF", "\xF0\x8F\xBF\xBF",      // overlong, four
           "\xED\xA0\x80", "\xED\xBF\xBF",              // surrogates
           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",      // beyond Unicode
           "\xC2", "\xE2\x82", "\xF0\x9F\x99", "\xC2x"  // cut short
       }) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

TEST(Utf8Test, DecodesValueAndLength) {
  EXPECT_EQ(DecodeUtf8("A", 0).value, 0x41u);
  EXPECT_EQ(DecodeUtf8("xü", 1).value, 0xFCu);
  EXPECT_EQ(DecodeUtf8("\xF0\x9F\x99\x82", 0).value, 0x1F642u);
  EXPECT_EQ(DecodeUtf8("\xF0\x9F\x99\x82", 0).length, 4u);
  EXPECT_EQ(DecodeUtf8("\xF0\x9F\x99\x82", 1).length, 0u);
}

}  // namespace
}  // namespace llmd
