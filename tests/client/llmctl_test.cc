// llmctl as it is used, against a daemon that says what the test wants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/thread.h"
#include "client/fake_daemon.h"
#include "client/llmctl_process.h"

namespace llmd::client {
namespace {

using ::llmd::testing::FakeDaemon;
using ::llmd::testing::Ran;
using ::llmd::testing::Refusal;
using ::llmd::testing::RunLlmctl;
using ::llmd::testing::TempFolder;
using ::llmd::testing::TerminalSession;
using ::llmd::testing::Variables;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class LlmctlTest : public ::testing::Test {
 protected:
  LlmctlTest() {
    daemon_.model.set_name("acme/tiny");
    daemon_.model.set_path("/home/x/LLM/models/acme_tiny");
    daemon_.job.set_id("job1");
    daemon_.job.set_kind("install");
    daemon_.job.set_subject("acme/tiny");
    daemon_.job.set_state("running");
  }
  Ran Run(const std::vector<std::string>& words, Variables variables = {},
          const std::string& input = "") {
    variables.emplace("LLMD_HOME", daemon_.home());
    return RunLlmctl(words, variables, input);
  }
  v1::JobEvent Event(int64_t sequence, const std::string& type, const std::string& state) {
    v1::JobEvent event;
    event.set_sequence(sequence);
    event.set_type(type);
    *event.mutable_job() = daemon_.job;
    event.mutable_job()->set_state(state);
    event.mutable_job()->set_step("download");
    event.mutable_job()->set_bytes_done(50 << 20);
    event.mutable_job()->set_bytes_total(100 << 20);
    event.mutable_job()->set_progress(0.5);
    return event;
  }

  FakeDaemon daemon_;
};

TEST_F(LlmctlTest, MistakesInTheCommandLineAreUsage) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"nonsense"},
                                             {"check"},
                                             {"check", "a/b", "extra"},
                                             {"check", "a/b", "--unknown"},
                                             {"check", "a/b", "--context", "many"},
                                             {"check", "a/b", "--context", "0"},
                                             {"install", "a/b", "--name"},
                                             {"jobs", "watch"},
                                             {"completion", "tcsh"},
                                             {"list", "show"}}) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.exit, 2) << ::testing::PrintToString(words);
    EXPECT_NE(ran.err, "");
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(LlmctlTest, MistakesWithJsonAreJson) {
  const Ran ran = Run({"check", "--json", "--unknown", "a/b"});
  EXPECT_EQ(ran.exit, 2);
  const json error = json::parse(ran.out).at("error");
  EXPECT_EQ(error.at("code"), "usage");
  EXPECT_EQ(error.at("exit"), 2);
  EXPECT_THAT(error.at("message"), HasSubstr("--unknown"));
  EXPECT_NE(error.at("next_step"), "");
}

TEST_F(LlmctlTest, HelpHasExamplesAndExitCodes) {
  const Ran all = Run({"--help"});
  EXPECT_EQ(all.exit, 0);
  EXPECT_THAT(all.out, HasSubstr("Exit codes: 0 done"));
  EXPECT_THAT(all.out, Not(HasSubstr("__complete")));
  for (const char* command : {"check", "install", "list", "show", "start", "stop", "restart", "ps",
                              "logs", "run", "chat", "remove", "jobs", "system", "dashboard"}) {
    EXPECT_THAT(all.out, HasSubstr(command));
    const Ran one = Run({command, "--help"});
    EXPECT_EQ(one.exit, 0);
    EXPECT_THAT(one.out, HasSubstr(std::string("Examples:\nllmctl ") + command)) << command;
  }
  EXPECT_THAT(Run({"--version"}).out, HasSubstr("llmctl "));
}

TEST_F(LlmctlTest, CheckPassesEverythingOn) {
  daemon_.check.mutable_profile()->set_repo_id("acme/tiny");
  const Ran ran =
      Run({"check", "acme/tiny", "--revision", "v1", "--variant", "Q4_K_M", "--file", "a.gguf",
           "--engine", "llama.cpp", "--quantization", "4bit", "--context", "8192", "--offline"},
          {{"HF_TOKEN", "hf_secret"}, {"HF_ENDPOINT", "http://mirror"}});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const v1::CheckRequest& asked = daemon_.checked;
  EXPECT_EQ(asked.source().repo_id(), "acme/tiny");
  EXPECT_EQ(asked.source().revision(), "v1");
  EXPECT_EQ(asked.source().hf_token(), "hf_secret");
  EXPECT_EQ(asked.source().hf_endpoint(), "http://mirror");
  EXPECT_TRUE(asked.source().offline());
  EXPECT_EQ(asked.variant(), "Q4_K_M");
  EXPECT_EQ(asked.file(), "a.gguf");
  EXPECT_EQ(asked.engine(), "llama.cpp");
  EXPECT_EQ(asked.quantization(), "4bit");
  EXPECT_EQ(asked.context(), 8192);
  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("hf_secret")));
}

TEST_F(LlmctlTest, AnAddressIsARepositoryToo) {
  EXPECT_EQ(Run({"check", "https://hub.example/acme/tiny/tree/v2?x=1"}).exit, 0);
  EXPECT_EQ(daemon_.checked.source().repo_id(), "acme/tiny");
  EXPECT_EQ(daemon_.checked.source().revision(), "v2");
  EXPECT_EQ(Run({"check", "https://hub.example/acme/tiny/", "--revision", "v3"}).exit, 0);
  EXPECT_EQ(daemon_.checked.source().revision(), "v3");
  for (const char* other : {"https://hub.example/datasets/acme/tiny", "https://hub.example/acme"}) {
    const Ran ran = Run({"check", other});
    EXPECT_EQ(ran.exit, 2);
    EXPECT_THAT(ran.err, HasSubstr("not the address of a model"));
  }
}

TEST_F(LlmctlTest, RemoveWantsSomebodyToConfirmAndTheRightLetters) {
  daemon_.model.set_name("acme/tiny");
  const Ran unasked = Run({"remove", "acme/tiny"}, {}, "n\n");
  EXPECT_EQ(unasked.exit, 2);
  EXPECT_THAT(unasked.err, HasSubstr("--yes"));
  const Ran other = Run({"remove", "Acme/Tiny", "--yes"});
  EXPECT_EQ(other.exit, 2);
  EXPECT_THAT(other.err, HasSubstr("Did you mean acme/tiny?"));
}

TEST_F(LlmctlTest, AskingNothingIsAMistake) {
  EXPECT_EQ(Run({"run", "acme/tiny"}, {}, "").exit, 2);
  EXPECT_EQ(Run({"run", "acme/tiny", "\xff\xfe"}).exit, 2);
  EXPECT_EQ(Run({"run", "acme/tiny", "Hi", "--max-tokens", "-5"}).exit, 2);
}

TEST_F(LlmctlTest, CheckPrintsTheProfileAndItsExitCode) {
  v1::ModelProfile& profile = *daemon_.check.mutable_profile();
  profile.set_repo_id("acme/tiny");
  profile.set_kind("llm");
  daemon_.check.set_exit_code(3);
  v1::Evidence& evidence = *profile.add_evidence();
  evidence.set_detector("gguf");
  evidence.set_because("no *.gguf file");
  const Ran as_json = Run({"check", "acme/tiny", "--json"});
  EXPECT_EQ(as_json.exit, 3);
  EXPECT_EQ(json::parse(as_json.out).at("kind"), "llm");
  EXPECT_TRUE(json::parse(as_json.out).at("revision").is_null());
  const Ran page = Run({"check", "acme/tiny"});
  EXPECT_EQ(page.exit, 3);
  EXPECT_THAT(page.out, HasSubstr("acme/tiny: cannot be installed here\n"));
  EXPECT_THAT(page.out, Not(HasSubstr("no *.gguf file")));
  EXPECT_THAT(Run({"check", "acme/tiny", "--explain"}).out, HasSubstr("no *.gguf file"));
}

TEST_F(LlmctlTest, FoldersAreNamedAbsolutely) {
  const std::string folder = daemon_.folder().Write("model/config.json", "{}").parent_path();
  EXPECT_EQ(Run({"check", folder + "/../model"}).exit, 0);
  EXPECT_EQ(daemon_.checked.source().repo_id(), folder);
  const Ran missing = Run({"check", "./nothing", "--json"});
  EXPECT_EQ(missing.exit, 5);
  EXPECT_EQ(json::parse(missing.out).at("error").at("code"), "repository_not_found");
}

TEST_F(LlmctlTest, RefusalsComeThroughWhole) {
  daemon_.status = Refusal(grpc::StatusCode::PERMISSION_DENIED, "gated",
                           "acme/tiny is gated \x1b[31m", "Accept the licence.");
  const Ran text = Run({"check", "acme/tiny"});
  EXPECT_EQ(text.exit, 5);
  EXPECT_EQ(text.out, "");
  EXPECT_EQ(text.err, "error: acme/tiny is gated [31m [gated]\n  Accept the licence.\n");
  const json error = json::parse(Run({"check", "acme/tiny", "--json"}).out).at("error");
  EXPECT_EQ(error.at("code"), "gated");
  EXPECT_EQ(error.at("next_step"), "Accept the licence.");
  EXPECT_EQ(error.at("exit"), 5);
}

TEST_F(LlmctlTest, InstallShowsPlainLinesWithoutATerminal) {
  daemon_.events = {Event(1, "state", "running"), Event(2, "step", "running"),
                    Event(0, "progress", "running"), Event(3, "state", "succeeded")};
  const Ran ran = Run({"install", "acme/tiny", "--name", "my/tiny", "--force"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.err, "- download\n  50 % of 100.0 MiB\n");
  EXPECT_THAT(ran.out, HasSubstr("acme/tiny is installed in /home/x/LLM/models/acme_tiny\n"));
  EXPECT_EQ(daemon_.installed.name(), "my/tiny");
  EXPECT_TRUE(daemon_.installed.force());
  const Ran as_json = Run({"install", "acme/tiny", "--json"});
  EXPECT_EQ(as_json.err, "");
  EXPECT_EQ(json::parse(as_json.out).at("name"), "acme/tiny");
}

TEST_F(LlmctlTest, AFailedJobIsExitSevenUnlessItsErrorSaysMore) {
  daemon_.events = {Event(1, "state", "failed")};
  v1::Error& error = *daemon_.events[0].mutable_job()->mutable_error();
  error.set_code("checksum_mismatch");
  error.set_message("model.gguf arrived damaged");
  error.set_next_step("Try again.");
  const Ran ran = Run({"install", "acme/tiny", "--json"});
  EXPECT_EQ(ran.exit, 7);
  EXPECT_EQ(json::parse(ran.out).at("error").at("message"), "model.gguf arrived damaged");
  error.set_code("gated");
  EXPECT_EQ(Run({"install", "acme/tiny"}).exit, 5);
  daemon_.events = {Event(1, "state", "cancelled")};
  EXPECT_EQ(Run({"jobs", "watch", "job1"}).exit, 7);
}

TEST_F(LlmctlTest, AWatchThatBreaksGoesOnAfterTheLastEvent) {
  daemon_.events = {Event(1, "step", "running"), Event(2, "log", "running"),
                    Event(3, "state", "succeeded")};
  daemon_.events[1].set_message("<cut>");
  const Ran ran = Run({"install", "acme/tiny"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(daemon_.watches, 2);
  EXPECT_EQ(daemon_.watched_after, 2);
  EXPECT_EQ(ran.err, "- download\n  <cut>\n");
}

TEST_F(LlmctlTest, AWatchOutlivesADaemonThatIsStartedAgain) {
  daemon_.events = {Event(1, "step", "running"), Event(2, "log", "running")};
  daemon_.watch_blocks = true;
  Ran ran;
  {
    const JoiningThread watcher("watcher", [&] { ran = Run({"jobs", "watch", "job1"}); });
    daemon_.WaitForWatches(1);
    daemon_.RestartWith(Event(3, "state", "succeeded"));
  }
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(daemon_.watched_after, 2);
}

TEST_F(LlmctlTest, DetachReturnsTheJob) {
  EXPECT_EQ(Run({"install", "acme/tiny", "--detach"}).out, "job1\n");
  EXPECT_EQ(json::parse(Run({"install", "acme/tiny", "--detach", "--json"}).out).at("id"), "job1");
  EXPECT_EQ(daemon_.watches, 0);
}

TEST_F(LlmctlTest, InterruptAsksWhetherToCancel) {
  daemon_.events = {Event(1, "step", "running"), Event(0, "progress", "running")};
  daemon_.watch_blocks = true;
  TerminalSession terminal({"install", "acme/tiny"}, {{"LLMD_HOME", daemon_.home()}});
  ASSERT_TRUE(terminal.WaitFor("50 %")) << terminal.shown();
  EXPECT_THAT(terminal.shown(), HasSubstr("50.0 MiB of 100.0 MiB"));
  terminal.Type("\x03");
  ASSERT_TRUE(terminal.WaitFor("c = cancel")) << terminal.shown();
  terminal.Type("c\n");
  EXPECT_EQ(terminal.Finish(), 130);
  EXPECT_EQ(daemon_.cancelled, "job1");
}

TEST_F(LlmctlTest, InterruptLeavesTheJobAloneWhenAskedTo) {
  daemon_.events = {Event(1, "step", "running"), Event(0, "progress", "running")};
  daemon_.watch_blocks = true;
  TerminalSession terminal({"jobs", "watch", "job1"}, {{"LLMD_HOME", daemon_.home()}});
  ASSERT_TRUE(terminal.WaitFor("50 %")) << terminal.shown();
  terminal.Type("\x03");
  ASSERT_TRUE(terminal.WaitFor("c = cancel")) << terminal.shown();
  terminal.Type("\n");
  EXPECT_EQ(terminal.Finish(), 130);
  EXPECT_THAT(terminal.shown(), HasSubstr("llmctl jobs watch job1"));
  EXPECT_EQ(daemon_.cancelled, "");
}

TEST_F(LlmctlTest, TheSecondInterruptEndsTheQuestion) {
  daemon_.events = {Event(1, "step", "running"), Event(0, "progress", "running")};
  daemon_.watch_blocks = true;
  TerminalSession terminal({"jobs", "watch", "job1"}, {{"LLMD_HOME", daemon_.home()}});
  ASSERT_TRUE(terminal.WaitFor("50 %")) << terminal.shown();
  terminal.Type("\x03");
  ASSERT_TRUE(terminal.WaitFor("c = cancel")) << terminal.shown();
  terminal.Type("\x03");
  EXPECT_EQ(terminal.Finish(), 130);
  EXPECT_EQ(daemon_.cancelled, "");
}

TEST_F(LlmctlTest, ListsAsTablesAndAsJson) {
  EXPECT_THAT(Run({"list"}).out, HasSubstr("No model is installed."));
  v1::Model& model = *daemon_.models.add_models();
  model.set_name("acme/tiny");
  model.set_engine("llama.cpp");
  model.set_bytes_on_disk(3 << 20);
  EXPECT_THAT(Run({"list"}).out, HasSubstr("acme/tiny"));
  EXPECT_EQ(json::parse(Run({"list", "--json"}).out).at("models")[0].at("bytes_on_disk"), 3 << 20);
  v1::Server& server = *daemon_.servers.add_servers();
  server.set_model("acme/tiny");
  server.set_pid(4711);
  server.set_state("ready");
  EXPECT_THAT(Run({"ps"}).out, HasSubstr("4711"));
  const json shown = json::parse(Run({"ps", "--json"}).out).at("servers")[0];
  for (const char* field :
       {"model", "state", "engine", "pid", "endpoint", "memory_bytes", "reserved_bytes",
        "started_at", "last_used_at", "in_flight", "reason"}) {
    EXPECT_TRUE(shown.contains(field)) << field;
  }
  *daemon_.jobs.add_jobs() = daemon_.job;
  EXPECT_THAT(Run({"jobs"}).out, HasSubstr("job1"));
  EXPECT_EQ(json::parse(Run({"jobs", "--json"}).out).at("jobs")[0].at("id"), "job1");
  EXPECT_THAT(Run({"jobs", "show", "job1"}).out, HasSubstr("job1 install acme/tiny: running"));
}

TEST_F(LlmctlTest, RunAsksAndPrintsTheAnswer) {
  daemon_.model.mutable_profile()->set_kind("llm");
  daemon_.model.mutable_profile()->add_capabilities("chat");
  for (const char* piece : {"Par", "is\x1b[31m", "."}) {
    v1::GenerationChunk chunk;
    chunk.set_text(piece);
    daemon_.chunks.push_back(chunk);
  }
  daemon_.chunks.back().set_finish_reason("stop");
  daemon_.chunks.back().mutable_usage()->set_completion_tokens(3);
  EXPECT_EQ(Run({"run", "acme/tiny", "Capital of France?", "--seed", "7", "--max-tokens", "9"}).out,
            "Paris[31m.\n");
  EXPECT_EQ(daemon_.chatted.messages(0).content(), "Capital of France?");
  EXPECT_EQ(daemon_.chatted.options().seed(), 7);
  EXPECT_FALSE(daemon_.chatted.options().has_temperature());
  EXPECT_EQ(Run({"run", "acme/tiny"}, {}, "from a pipe").exit, 0);
  EXPECT_EQ(daemon_.chatted.messages(0).content(), "from a pipe");
  // A prompt may be the name of a command.
  EXPECT_EQ(Run({"run", "acme/tiny", "list"}).exit, 0);
  EXPECT_EQ(daemon_.chatted.messages(0).content(), "list");
  const json answer = json::parse(Run({"run", "acme/tiny", "x", "--json"}).out);
  EXPECT_EQ(answer.at("finish_reason"), "stop");
  EXPECT_EQ(answer.at("usage").at("completion_tokens"), 3);
}

TEST_F(LlmctlTest, ChatAnswersEachLine) {
  v1::GenerationChunk chunk;
  chunk.set_text("Hello.");
  daemon_.chunks = {chunk};
  EXPECT_EQ(Run({"chat", "acme/tiny"}, {}, "Hi\n\nAgain\n/bye\n").out, "Hello.\nHello.\n");
  EXPECT_EQ(daemon_.chatted.messages_size(), 3);
  const Ran ran = Run({"chat", "acme/tiny", "--json"}, {}, "Hi\n");
  EXPECT_EQ(json::parse(ran.out).at("text"), "Hello.");
}

TEST_F(LlmctlTest, LogsLineByLine) {
  daemon_.log = {"one\ntwo\x1b[2J\n", "three"};
  EXPECT_EQ(Run({"logs", "acme/tiny"}).out, "one\ntwo[2J\nthree");
  EXPECT_EQ(Run({"logs", "acme/tiny", "--json"}).out,
            "{\"text\":\"one\\ntwo\\u001b[2J\\n\"}\n{\"text\":\"three\"}\n");
}

TEST_F(LlmctlTest, DashboardPrintsTheAddressWithTheToken) {
  daemon_.info.set_http("http://127.0.0.1:11500");
  daemon_.folder().Write("run/token", "0123abcd\n");
  EXPECT_EQ(Run({"dashboard"}).out, "http://127.0.0.1:11500/#token=0123abcd\n");
}

TEST_F(LlmctlTest, CompletesCommandsOptionsAndNames) {
  const auto complete = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    return Run(words).out;
  };
  EXPECT_EQ(complete({"ins"}), "install\n");
  EXPECT_THAT(complete({""}), HasSubstr("check\n"));
  EXPECT_THAT(complete({""}), Not(HasSubstr("__complete")));
  EXPECT_THAT(complete({"install", "--qu"}), HasSubstr("--quantization\n"));
  EXPECT_THAT(complete({"jobs", "wa"}), HasSubstr("watch\n"));
  daemon_.models.add_models()->set_name("acme/tiny");
  EXPECT_EQ(complete({"show", "ac"}), "acme/tiny\n");
  EXPECT_EQ(complete({"show", "ti"}), "tiny\n");
  daemon_.models.add_models()->set_name("other/tiny");
  EXPECT_EQ(complete({"show", "ti"}), "");  // it would be ambiguous
  *daemon_.jobs.add_jobs() = daemon_.job;
  EXPECT_EQ(complete({"jobs", "watch", "jo"}), "job1\n");
}

TEST_F(LlmctlTest, CompletionScriptsAreShellTheShellUnderstands) {
  const Ran bash = Run({"completion", "bash"});
  EXPECT_EQ(bash.exit, 0);
  const std::string script = daemon_.folder().Write("completion.sh", bash.out);
  EXPECT_EQ(RunLlmctl({"-n", script}, {}, "", "/bin/bash").exit, 0);
  EXPECT_THAT(Run({"completion", "zsh"}).out, HasSubstr("#compdef llmctl"));
  EXPECT_THAT(Run({"completion", "fish"}).out, HasSubstr("complete -c llmctl"));
}

TEST(LlmctlWithoutADaemon, SaysSoWhereItMayNotStartOne) {
  TempFolder home;
  const Ran ran = RunLlmctl({"system", "shutdown"}, {{"LLMD_HOME", home.path().string()}});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("No llmd is running"));
  EXPECT_EQ(RunLlmctl({"__complete", "show", ""}, {{"LLMD_HOME", home.path().string()}}).exit, 0);
}

TEST(LlmctlWithoutADaemon, SaysWhyItCannotStartOne) {
  TempFolder home;
  // Alone in a folder: there is no llmd beside it.
  const auto alone = home / "bin/llmctl";
  std::filesystem::create_directories(alone.parent_path());
  std::filesystem::copy_file(LLMD_BINARY_DIR "/bin/llmctl", alone);
  const Ran ran =
      RunLlmctl({"list", "--json"}, {{"LLMD_HOME", (home / "home").string()}}, "", alone.string());
  EXPECT_EQ(ran.exit, 6) << ran.out;
  EXPECT_EQ(json::parse(ran.out).at("error").at("code"), "daemon_not_started");
}

}  // namespace
}  // namespace llmd::client
