// What llmctl prints: JSON, tables, bars and pages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <llmd/v1/agent.pb.h>
#include <llmd/v1/models.pb.h>
#include <llmd/v1/system.pb.h>

#include <nlohmann/json.hpp>

#include "render/json.h"
#include "render/profile_page.h"
#include "render/progress.h"
#include "render/table.h"
#include "render/terminal.h"

namespace llmd::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kMiB = 1 << 20;
const Terminal kPlain(Terminal::Features{});
const Terminal kBars(Terminal::Features{.error = true, .width = 70});

TEST(ToJson, EveryFieldIsThereInOrder) {
  const auto json = ToJson(v1::ModelProfile());
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  const auto& descriptor = *v1::ModelProfile::descriptor();
  ASSERT_EQ(static_cast<int>(names.size()), descriptor.field_count());
  for (int i = 0; i < descriptor.field_count(); ++i) {
    EXPECT_EQ(names[static_cast<size_t>(i)], descriptor.field(i)->name());
  }
}

TEST(ToJson, UnknownScalarsAreNullListsAreEmptyMessagesAreWhole) {
  v1::ModelProfile profile;
  profile.mutable_memory();
  const auto json = ToJson(profile);
  EXPECT_TRUE(json["revision"].is_null());
  EXPECT_TRUE(json["parameters"].is_null());
  EXPECT_EQ(json["capabilities"], nlohmann::json::array());
  EXPECT_EQ(json["gated"], false);
  EXPECT_EQ(json["repo_id"], "");
  EXPECT_EQ(json["memory"]["required_bytes"], 0);
  EXPECT_TRUE(json["download"].is_null());
}

TEST(ToJson, SixtyFourBitNumbersStayNumbers) {
  v1::ModelProfile profile;
  profile.set_parameters(9'007'199'254'740'993);
  profile.mutable_download()->set_bytes(-1);
  const std::string text = ToJsonText(profile);
  EXPECT_THAT(text, HasSubstr("\"parameters\": 9007199254740993"));
  EXPECT_EQ(ToJson(profile)["download"]["bytes"], -1);
  EXPECT_EQ(text.back(), '\n');
}

TEST(ToJson, NestedListsAndFloats) {
  v1::EmbedResponse response;
  response.add_embeddings()->add_values(0.5F);
  EXPECT_EQ(ToJson(response)["embeddings"][0]["values"][0], 0.5);
  EXPECT_TRUE(ToJson(response)["usage"].is_null());
}

TEST(ToJson, TextThatIsNotUtf8CannotBreakIt) {
  v1::Model model;
  model.set_name("a\xff\x1b[31m");
  const std::string text = ToJsonText(model);
  EXPECT_TRUE(nlohmann::json::accept(text));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"NAME", "STATE"});
  table.Add({"acme/tiny", "ready"});
  table.Add({"\xC3\xBC", "x"});
  EXPECT_EQ(table.Render(), "NAME       STATE\nacme/tiny  ready\n\xC3\xBC          x\n");
}

TEST(Table, CellsCannotMoveTheCursor) {
  Table table({"NAME"});
  table.Add({"a\x1b[2J\tb"});
  EXPECT_THAT(table.Render(), Not(HasSubstr("\x1b")));
  EXPECT_EQ(table.Render(), "NAME\na[2J b\n");
}

TEST(Table, OfSeveralLinesTheFirstIsShown) {
  Table table({"REASON"});
  table.Add({"exit code 3\nTraceback\n  more"});
  EXPECT_EQ(table.Render(), "REASON\nexit code 3\n");
}

v1::Job DownloadJob(int64_t done, int64_t total) {
  v1::Job job;
  job.set_step("download");
  job.set_bytes_done(done);
  job.set_bytes_total(total);
  job.set_progress(static_cast<double>(done) / static_cast<double>(total));
  return job;
}

TEST(FormatBar, ShowsBytesRateAndTimeLeft) {
  v1::Job job = DownloadJob(48 * kMiB, 96 * kMiB);
  job.set_eta_seconds(4);
  EXPECT_EQ(
      FormatBar(job, 12.0 * kMiB, 120),
      "download     [############------------]  50 %  48.0 MiB of 96.0 MiB  12.0 MiB/s  4 s left");
}

TEST(FormatBar, IsCutToTheTerminal) {
  v1::Job job = DownloadJob(48 * kMiB, 96 * kMiB);
  EXPECT_EQ(FormatBar(job, 1, 40).size(), 39u);
  EXPECT_FALSE(FormatBar(job, 1, 0).empty());
}

TEST(FormatBar, SurvivesOddFigures) {
  for (const double progress : {-1.0, 2.0, 0.0}) {
    v1::Job job;
    job.set_progress(progress);
    EXPECT_THAT(FormatBar(job, -5, 80), HasSubstr("%"));
  }
}

// What JobProgress writes for these events.
std::string Shown(const Terminal& terminal, bool quiet, const std::vector<v1::JobEvent>& events) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  {
    JobProgress progress(terminal, quiet, out);
    for (const v1::JobEvent& event : events) progress.Show(event);
  }
  std::fclose(out);
  std::string result(text, size);
  std::free(text);
  return result;
}

v1::JobEvent Event(const std::string& type, const v1::Job& job, const std::string& message = "") {
  v1::JobEvent event;
  event.set_type(type);
  event.set_message(message);
  *event.mutable_job() = job;
  return event;
}

std::vector<v1::JobEvent> ADownload() {
  std::vector<v1::JobEvent> events = {Event("step", DownloadJob(0, 100 * kMiB))};
  for (int i = 0; i <= 100; ++i) {
    events.push_back(Event("progress", DownloadJob(i * kMiB, 100 * kMiB)));
  }
  events.push_back(Event("log", DownloadJob(0, 1), "3 files \x1b[31mverified"));
  return events;
}

TEST(JobProgress, PlainLinesInStepsWhereThereIsNoTerminal) {
  const std::string text = Shown(kPlain, false, ADownload());
  EXPECT_THAT(text, HasSubstr("- download\n  0 % of 100.0 MiB\n  10 % of 100.0 MiB\n"));
  EXPECT_THAT(text, HasSubstr("  100 % of 100.0 MiB\n  3 files [31mverified\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 13);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(JobProgress, ABarThatIsTakenAwayAgain) {
  const std::string text = Shown(kBars, false, ADownload());
  EXPECT_THAT(text, HasSubstr("\r\x1b[2Kdownload     [########################] 100 %"));
  EXPECT_THAT(text, HasSubstr("\r\x1b[2K  3 files [31mverified\n"));
}

TEST(JobProgress, QuietWithJson) { EXPECT_EQ(Shown(kBars, true, ADownload()), ""); }

v1::CheckResponse Tiny() {
  v1::CheckResponse response;
  v1::ModelProfile& profile = *response.mutable_profile();
  profile.set_repo_id("acme/tiny");
  profile.set_kind("llm");
  profile.set_detector("transformers");
  profile.set_architecture("LlamaForCausalLM");
  profile.set_parameters(134'515'008);
  profile.set_quantization("none");
  profile.set_license("apache-2.0");
  profile.set_supported(true);
  profile.mutable_memory()->set_required_bytes(600 * kMiB);
  profile.mutable_memory()->set_weights_bytes(257 * kMiB);
  profile.mutable_memory()->set_fits("yes");
  profile.mutable_download()->set_bytes(269 * kMiB);
  profile.mutable_download()->set_files(9);
  v1::SkippedFile& skipped = *profile.mutable_download()->add_skipped();
  skipped.set_path("pytorch_model.bin");
  skipped.set_why("same weights in safetensors");
  v1::Backend& usable = *profile.add_backends();
  usable.set_name("transformers");
  usable.set_usable(true);
  v1::Backend& other = *profile.add_backends();
  other.set_name("vllm");
  other.set_reason("needs a CUDA GPU");
  *profile.add_backends() = other;
  profile.mutable_backends()->rbegin()->set_name("sglang");
  v1::Backend& mac = *profile.add_backends();
  mac.set_name("mlx");
  mac.set_reason("needs macOS");
  profile.mutable_trainable()->set_reason("not in this version");
  v1::Evidence& evidence = *profile.add_evidence();
  evidence.set_detector("gguf");
  evidence.set_because("no *.gguf file");
  return response;
}

TEST(CheckPage, SaysWhatMattersInAFewLines) {
  const std::string page = CheckPage(Tiny(), kPlain);
  EXPECT_THAT(page, HasSubstr("acme/tiny: can be installed here\n"));
  EXPECT_THAT(page, HasSubstr("llm, LlamaForCausalLM, 135 M parameters\n"));
  EXPECT_THAT(page, HasSubstr("apache-2.0\n"));
  EXPECT_THAT(page, HasSubstr("fits, about 600.0 MiB (estimate: weights 257.0 MiB)\n"));
  EXPECT_THAT(page, HasSubstr("269.0 MiB in 9 files, 1 left out\n"));
  EXPECT_THAT(page, HasSubstr("transformers\n"
                              "               not vllm, sglang: needs a CUDA GPU\n"
                              "               not mlx: needs macOS\n"));
  EXPECT_THAT(page, HasSubstr("no: not in this version\n"));
  EXPECT_LT(std::count(page.begin(), page.end(), '\n'), 20);
}

TEST(CheckPage, EndsWithWhereTheNumbersComeFrom) {
  v1::CheckResponse response = Tiny();
  response.add_notes("disk: 1.4 GiB of files");
  response.add_notes("cache: \x1b[2J448 MiB");
  EXPECT_THAT(CheckPage(response, kPlain), HasSubstr("  notes        disk: 1.4 GiB of files\n"
                                                     "               cache: [2J448 MiB\n"));
}

TEST(CheckPage, TheVerdictFollowsTheExitCode) {
  v1::CheckResponse response = Tiny();
  response.set_exit_code(3);
  response.mutable_profile()->add_reasons("needs 40 GiB of memory, 16 GiB are here");
  EXPECT_THAT(CheckPage(response, kPlain),
              HasSubstr("acme/tiny: cannot be installed here\n  ! needs 40 GiB"));
  response.set_exit_code(4);
  response.mutable_profile()->set_detector("none");
  const std::string page = CheckPage(response, kPlain);
  EXPECT_THAT(page, HasSubstr("not a model that llmd can serve\n"));
  EXPECT_THAT(page, Not(HasSubstr("engines")));
}

TEST(CheckPage, GateRemoteCodeAndLongLists) {
  v1::CheckResponse response = Tiny();
  v1::ModelProfile& profile = *response.mutable_profile();
  profile.set_gated(true);
  profile.mutable_requirements()->set_remote_code(true);
  for (int i = 0; i < 30; ++i) {
    v1::Variant& variant = *profile.add_variants();
    variant.set_name("Q" + std::to_string(i));
  }
  const std::string page = CheckPage(response, kPlain);
  EXPECT_THAT(page, HasSubstr("apache-2.0; gated, you have access\n"));
  EXPECT_THAT(page, HasSubstr("runs code from the repository\n"));
  EXPECT_THAT(page, HasSubstr("Q7 (0 B) and 22 more\n"));
}

TEST(CheckPage, HostileTextIsHarmless) {
  v1::CheckResponse response = Tiny();
  v1::ModelProfile& profile = *response.mutable_profile();
  for (std::string* text :
       {profile.mutable_repo_id(), profile.mutable_architecture(), profile.mutable_license(),
        profile.add_reasons(), profile.add_capabilities(), profile.mutable_detector()}) {
    *text =
        "x\x1b]0;title\x07\r\n\x9b"
        "2J";
  }
  const std::string page =
      CheckPage(response, kPlain) + EvidencePage(profile, kPlain) + ProfilePage(profile, kPlain);
  for (const char c : page) {
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
  }
}

TEST(CheckPage, ColourOnlyOnATerminal) {
  const Terminal colourful(Terminal::Features{.output = true, .colour = true});
  EXPECT_THAT(CheckPage(Tiny(), colourful), HasSubstr("\x1b[32mcan be installed here\x1b[0m"));
  EXPECT_THAT(CheckPage(Tiny(), kPlain), Not(HasSubstr("\x1b")));
}

TEST(EvidencePage, HasEveryDetectorAndEveryFileLeftOut) {
  const std::string page = EvidencePage(Tiny().profile(), kPlain);
  EXPECT_THAT(page, HasSubstr("gguf      no       no *.gguf file\n"));
  EXPECT_THAT(page, HasSubstr("pytorch_model.bin  same weights in safetensors\n"));
}

}  // namespace
}  // namespace llmd::client
