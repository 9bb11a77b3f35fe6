#include "domain/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/hostile_names.h"

namespace llmd {
namespace {

using testing::kHostileNames;
using testing::kHostileRepositoryIds;

TEST(NamesTest, TheCorpusIsLarge) {
  const auto names = kHostileNames;
  EXPECT_GE(std::set<std::string>(names.begin(), names.end()).size(), 100u);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(NamesTest, HostilePathsAreRefused) {
  for (const std::string& name : kHostileNames) {
    const Status status = ValidateRepoPath(name);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << SanitizeForTerminal(name);
    EXPECT_EQ(GetErrorInfo(status).code, "unsafe_path");
    EXPECT_FALSE(GetErrorInfo(status).next_step.empty());
  }
}

TEST(NamesTest, HostileIdsAreRefused) {
  std::vector<std::string> names = kHostileNames;
  const std::vector<std::string> ids = kHostileRepositoryIds;
  names.insert(names.end(), ids.begin(), ids.end());
  // What is only a device's name on a Windows disk, the Hub's grammar allows: it is a folder
  // beside others here, "con" or "org_con".
  const std::set<std::string> allowed = {"CON",  "con",  "NUL",      "nul.txt", "Aux.json", "prn",
                                         "COM1", "LPT1", "com9.bin", "lpt9.x",  "a/NUL"};
  for (const std::string& name : names) {
    if (allowed.contains(name)) continue;
    const Status status = ValidateRepoId(name);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << SanitizeForTerminal(name);
    EXPECT_EQ(GetErrorInfo(status).code, "invalid_repository_id");
  }
}

TEST(NamesTest, MessagesAboutHostileNamesAreShortAndClean) {
  for (const std::string& name : kHostileNames) {
    for (const Status& status : {ValidateRepoPath(name), ValidateRepoId(name)}) {
      if (status.ok()) continue;
      const std::string message = Message(status);
      EXPECT_LT(message.size(), 400u);
      EXPECT_EQ(message, SanitizeForTerminal(message));
    }
  }
}

TEST(NamesTest, PathsOfRealRepositoriesAreFine) {
  for (const char* path : {"config.json",
                           "model-00001-of-00030.safetensors",
                           "onnx/model_q4f16.onnx",
                           ".gitattributes",
                           "1_Pooling/config.json",
                           "unet/diffusion_pytorch_model.fp16.safetensors",
                           "LICENSE",
                           "images/Screenshot 2024-01-01 at 12:30.png",
                           "README (1).md",
                           "naïve/résumé.txt",
                           "模型.bin",
                           "a-b_c+d,e=f@g#h%20i.txt",
                           "-leading-dash",
                           "--help",
                           "~lock",
                           "console.log",
                           "com10",
                           "auxiliary",
                           "nullable/x",
                           ".hidden/.x",
                           "..a",
                           "a..b",
                           "a...b",
                           "x/..y",
                           "$HOME",
                           "`id`",
                           "a;b"}) {
    EXPECT_TRUE(ValidateRepoPath(path).ok()) << ValidateRepoPath(path);
  }
  EXPECT_TRUE(ValidateRepoPath(std::string(255, 'a')).ok());
  EXPECT_TRUE(ValidateRepoPath("a/" + std::string(255, 'b')).ok());
  EXPECT_TRUE(ValidateRepoPath(testing::internal::Repeat("a/", 31) + "b").ok());
}

TEST(NamesTest, IdsOfRealRepositoriesAreFine) {
  for (const char* id :
       {"Qwen/Qwen3-0.6B", "gpt2", "bert-base-uncased", "HuggingFaceTB/SmolLM2-135M-Instruct",
        "sentence-transformers/all-MiniLM-L6-v2", "black-forest-labs/FLUX.1-dev", "a/b", "0x/1",
        "TheBloke/Llama-2-7B-Chat-GGUF", "_a/b_", "local/my-model", "x.gitx"}) {
    EXPECT_TRUE(ValidateRepoId(id).ok()) << ValidateRepoId(id);
  }
  EXPECT_TRUE(ValidateRepoId(std::string(96, 'a') + "/" + std::string(96, 'b')).ok());
}

TEST(NamesTest, AFolderIsNamedAfterTheRepository) {
  EXPECT_EQ(FolderNameFor("Qwen/Qwen3-0.6B"), "Qwen_Qwen3-0.6B");
  EXPECT_EQ(FolderNameFor("gpt2"), "gpt2");
  EXPECT_EQ(OtherFolderNameFor("abc"), "abc-ba7816");
}

TEST(NamesTest, AFolderOfAnAcceptedIdIsOnePlainName) {
  for (const std::string& id : kHostileRepositoryIds) {
    if (!ValidateRepoId(id).ok()) continue;
    const std::string folder = FolderNameFor(id);
    EXPECT_EQ(folder.find('/'), std::string::npos);
    EXPECT_FALSE(folder.starts_with('.'));
  }
}

TEST(NamesTest, AServersIdIsTwelveHexDigits) {
  EXPECT_EQ(ServerIdFor("abc"), "ba7816bf8f01");
  EXPECT_NE(ServerIdFor("Qwen_Qwen3"), ServerIdFor("qwen_qwen3"));
}

TEST(NamesTest, ATerminalGetsOneHarmlessLine) {
  EXPECT_EQ(SanitizeForTerminal("plain ü 你好 🙂"), "plain ü 你好 🙂");
  EXPECT_EQ(SanitizeForTerminal("\x1b[31mred\x1b[0m"), "[31mred[0m");
  EXPECT_EQ(SanitizeForTerminal("a\nb\tc\r\x07\x7f"), "a b c");
  EXPECT_EQ(SanitizeForTerminal("a\xC2\x9B"
                                "31mb"),
            "a31mb");
  EXPECT_EQ(SanitizeForTerminal("a\xE2\x80\xAE"
                                "b\xE2\x81\xA6"
                                "c"),
            "abc");
  EXPECT_EQ(SanitizeForTerminal("a\xFF\xC0\xAF"
                                "b\xE2\x82"),
            "ab");
  for (const std::string& name : kHostileNames) {
    const std::string clean = SanitizeForTerminal(name);
    EXPECT_TRUE(IsValidUtf8(clean));
    EXPECT_EQ(SanitizeForTerminal(clean), clean);
  }
}

TEST(NamesTest, WhatARequirementNames) {
  EXPECT_EQ(RequirementName("torch"), "torch");
  EXPECT_EQ(RequirementName("transformers>=5; sys_platform == 'linux'"), "transformers");
  EXPECT_EQ(RequirementName("uvicorn[standard]~=0.5"), "uvicorn");
  EXPECT_EQ(RequirementName("janus @ git+https://example.org/janus"), "janus");
}

TEST(NamesTest, LowerCaseIsAsciiOnly) { EXPECT_EQ(ToLower("AbZ-09 Ü"), "abz-09 Ü"); }

}  // namespace
}  // namespace llmd
