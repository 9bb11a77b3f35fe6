// Names that must not become paths: one corpus for every entry that takes a name from outside.
#pragma once

#include <string>
#include <vector>

namespace llmd::testing {

namespace internal {

inline std::string Repeat(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace internal

// Refused as a path inside a repository and as a repository id.
inline const std::vector<std::string> kHostileNames = {
    // Ways up, and ways to nowhere.
    "",
    ".",
    "..",
    "/",
    "//",
    "./a",
    "a/.",
    "../a",
    "a/..",
    "a/../b",
    "a/../../b",
    "../../../etc/x",
    "..//a",
    "a//b",
    "a/",
    "/a",
    "a/./b",
    "./",
    "../",
    "a/b/../../..",
    "...",
    "a/...",
    ". ",
    " .",
    ".. ",
    " ..",
    "a/.. /b",
    "a/ ../b",
    "a/..\\b",
    // Absolute, of whatever system.
    "/etc/passwd",
    "//server/share/f",
    "\\\\server\\share\\f",
    "\\etc\\passwd",
    "\\\\?\\C:\\x",
    "\\\\.\\pipe\\x",
    "C:/x",
    "C:\\x",
    "c:x",
    "C:",
    "a/C:/x",
    "z:/",
    "/dev/stdin",
    "file:///etc/x",
    "~",
    "~/x",
    "a/~/b",
    // Backslashes as separators.
    "a\\b",
    "..\\a",
    "a\\..\\b",
    "a/..\\..\\b",
    "\\",
    "a\\",
    "model\\..\\..\\x",
    // Characters that end or break names.
    std::string("a\0b", 3),
    std::string(1, '\0'),
    std::string("a/b\0.safetensors", 16),
    "a\nb",
    "a\rb",
    "a\tb",
    "\x1b[2Ja",
    "a\x7f",
    "a\bb",
    "a/\x01",
    "\na",
    "a\n",
    "a\r\n",
    "\xC2\x80x",
    "a\xC2\x9Bm",
    // Text that shows another name than it is.
    "a\xE2\x80\xAEtxt.sh",
    "\xE2\x80\xAA"
    "a",
    "a\xE2\x81\xA6"
    "b",
    "a\xE2\x80\x8F"
    "b",
    // Not UTF-8, or overlong: 0xC0 0xAF is '/', 0xC0 0xAE is '.'.
    "a\xFF",
    "\xC0\xAF",
    "..\xC0\xAF..",
    "\xC0\xAE\xC0\xAE/a",
    "a\xE0\x80\xAF"
    "b",
    "\xF0\x80\x80\xAF",
    "\xED\xA0\x80",
    "a\xC3",
    "\xF4\x90\x80\x80",
    "\x80",
    "\xFE\xFF",
    // Names that a Windows disk gives to devices.
    "CON",
    "con",
    "NUL",
    "nul.txt",
    "a/NUL",
    "Aux.json",
    "prn",
    "COM1",
    "com9.bin",
    "LPT1",
    "lpt9.x",
    "a/con.tar.gz/b",
    "CONIN$",
    "conout$",
    "nul .txt",
    // Names that a Windows disk cuts short to others.
    "a.",
    "a ",
    "a/b.",
    "a/b ",
    "a./b",
    "a /b",
    "config.json.",
    "config.json ",
    "x. . .",
    // Too long, too deep.
    std::string(256, 'a'),
    "a/" + std::string(300, 'b'),
    internal::Repeat("ab/", 400) + "c",
    internal::Repeat("a/", 32) + "b",
    std::string(1025, 'a'),
    std::string(100'000, 'a'),
};

// Refused as a repository id, though fine as a file's name.
inline const std::vector<std::string> kHostileRepositoryIds = {"a/b/c",
                                                               "a--b",
                                                               "a/b--c",
                                                               "a..b",
                                                               "-a",
                                                               "a-",
                                                               ".a",
                                                               "org/.hidden",
                                                               "org/-x",
                                                               "org/x-",
                                                               "org/x.git",
                                                               "x.git",
                                                               "a b",
                                                               "a/b c",
                                                               "org/ü",
                                                               "org/你好",
                                                               "org:name",
                                                               "org/name@main",
                                                               "org/name#x",
                                                               "org/name?x=1",
                                                               "org/na%2fme",
                                                               "%2e%2e/x",
                                                               "https:/x",
                                                               "org/$(id)",
                                                               "org/`id`",
                                                               "org/x;ls",
                                                               "org/x|y",
                                                               "org/x&y",
                                                               "org/x*",
                                                               "org/{x}",
                                                               "org/'x'",
                                                               "org/\"x\"",
                                                               "org/x\\y",
                                                               "org/<x>",
                                                               "org/x,y",
                                                               "--help",
                                                               "-rf",
                                                               "a/--name=x",
                                                               "spaces/a/b",
                                                               std::string(97, 'a'),
                                                               "a/" + std::string(97, 'b')};

}  // namespace llmd::testing
