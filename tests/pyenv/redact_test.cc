#include "pyenv/redact.h"

#include <gtest/gtest.h>

namespace llmd::pyenv {
namespace {

TEST(RedactTest, TakesCredentialsOutOfAddresses) {
  EXPECT_EQ(Redact("https://user:secret@host/simple/x"), "https://***@host/simple/x");
  EXPECT_EQ(Redact("https://token@host"), "https://***@host");
  EXPECT_EQ(Redact("a http://u:p@h/ b https://u2:p2@h2 c"), "a http://***@h/ b https://***@h2 c");
  EXPECT_EQ(Redact("https://us@er:se@cret@host/x"), "https://***@host/x");
  EXPECT_EQ(Redact("'https://u:p@h'"), "'https://***@h'");
}

TEST(RedactTest, LeavesAllElse) {
  for (const char* text : {"", "idna==3.7", "https://host/a@b", "mail me@example.org", "://",
                           "x://", "https://host/?q=a@b", "https://host user@x"}) {
    EXPECT_EQ(Redact(text), text);
  }
}

}  // namespace
}  // namespace llmd::pyenv
