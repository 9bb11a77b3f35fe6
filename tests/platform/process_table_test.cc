#include "platform/process_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/process_launcher.h"
#include "platform/unix_socket.h"
#include "support/temp_folder.h"

namespace llmd::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ProcessTable, KnowsThisProcess) {
  const auto self = FindProcess(::getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->pid, ::getpid());
  EXPECT_EQ(self->parent, ::getppid());
  EXPECT_EQ(self->group, ::getpgrp());
  EXPECT_GT(self->start_ticks, 0);
  EXPECT_GT(self->resident_bytes, 0);
  EXPECT_TRUE(IsRunning(self->pid, self->start_ticks));
  EXPECT_FALSE(IsRunning(self->pid, self->start_ticks + 1));
  EXPECT_FALSE(IsRunning(0, 0));
  EXPECT_FALSE(FindProcess(2'000'000'000));
}

TEST(ProcessTable, AZombieDoesNotRun) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  const auto zombie = FindProcess(pid);
  ASSERT_TRUE(zombie);
  EXPECT_EQ(zombie->state, 'Z');
  EXPECT_FALSE(IsRunning(pid, zombie->start_ticks));
  ::waitpid(pid, nullptr, 0);
}

TEST(ProcessTable, Descendants) {
  const std::vector<ProcessInfo> processes = {{.pid = 1, .parent = 0},   {.pid = 10, .parent = 1},
                                              {.pid = 11, .parent = 10}, {.pid = 12, .parent = 11},
                                              {.pid = 13, .parent = 10}, {.pid = 20, .parent = 1}};
  std::vector<pid_t> found;
  for (const ProcessInfo& process : DescendantsOf(10, processes)) found.push_back(process.pid);
  EXPECT_THAT(found, ::testing::UnorderedElementsAre(11, 12, 13));
  EXPECT_THAT(DescendantsOf(99, processes), IsEmpty());
}

TEST(ProcessTable, ACircleEnds) {
  const std::vector<ProcessInfo> circle = {{.pid = 2, .parent = 3}, {.pid = 3, .parent = 2}};
  EXPECT_EQ(DescendantsOf(2, circle).size(), 2u);
}

TEST(ProcessTable, FindsProcessesByTheirEnvironment) {
  const std::string value = "mark-" + std::to_string(::getpid());
  auto ready = MakePipe();
  ASSERT_TRUE(ready.ok());
  const auto launcher = MakeProcessLauncher();
  auto process = launcher->Launch({.program = "/bin/sh",
                                   .arguments = {"-c", "echo x >&3; exec 3>&-; exec sleep 1000"},
                                   .environment = {{"LLMD_TEST_MARK", value}},
                                   .descriptors = {{ready->second.get(), 3}}});
  ASSERT_TRUE(process.ok());
  char byte = 0;
  ASSERT_EQ(::read(ready->first.get(), &byte, 1), 1);
  EXPECT_THAT(ProcessesWithVariable("LLMD_TEST_MARK=" + value), ElementsAre((*process)->pid()));
  EXPECT_THAT(ProcessesWithVariable("LLMD_TEST_MARK=" + value + "0"), IsEmpty());
  EXPECT_THAT(ProcessesWithVariable("LLMD_TEST_MARK="), IsEmpty());
  (*process)->Signal(SIGKILL);
  EXPECT_EQ((*process)->Wait(CancelToken())->signal, SIGKILL);
}

TEST(ProcessTable, BootIdIsStable) {
  const auto id = BootId();
  ASSERT_TRUE(id.ok());
  EXPECT_GE(id->size(), 32u);
  EXPECT_EQ(id->find('\n'), std::string::npos);
  EXPECT_EQ(*id, *BootId());
}

#if defined(__linux__)
constexpr char kStat[] =
    " S 7 99 99 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 123456 2000000 300 18446744073709551615 1 "
    "1";

TEST(ProcessTable, ParsesStatWithAnyName) {
  for (const std::string name : {"sh", "a b", "x) S 1 1 (y", "a\nb", ")", ""}) {
    const auto info = internal::ParseProcStat("42 (" + name + ")" + kStat, 4096);
    ASSERT_TRUE(info) << name;
    EXPECT_EQ(info->pid, 42);
    EXPECT_EQ(info->parent, 7);
    EXPECT_EQ(info->group, 99);
    EXPECT_EQ(info->state, 'S');
    EXPECT_EQ(info->start_ticks, 123456);
    EXPECT_EQ(info->resident_bytes, 300 * 4096);
  }
}

TEST(ProcessTable, RefusesWhatIsNoStat) {
  for (const char* text :
       {"", "42", "42 (sh)", "42 (sh) S 1", "x (sh) S 7 99 99", ") (", "42 (sh"}) {
    EXPECT_FALSE(internal::ParseProcStat(text, 4096)) << text;
  }
}

TEST(ProcessTable, ListsWhatLiesBelowProc) {
  testing::TempFolder proc;
  proc.Write("42/stat", std::string("42 (sh)") + kStat);
  proc.Write("43/stat", "broken");
  proc.Write("self/stat", std::string("44 (sh)") + kStat);
  proc.Write("uptime", "1 2");
  const auto processes = internal::ListProcessesBelow(proc.path());
  ASSERT_EQ(processes.size(), 1u);
  EXPECT_EQ(processes[0].pid, 42);
}
#endif

TEST(ProcessTable, AssignmentsAreWhole) {
  const std::string environ("A=1\0LLMD=x\0B=LLMD=y\0", 20);
  EXPECT_TRUE(internal::HasAssignment(environ, "LLMD=x"));
  EXPECT_FALSE(internal::HasAssignment(environ, "LLMD="));
  EXPECT_FALSE(internal::HasAssignment(environ, "LLMD=y"));
  EXPECT_TRUE(internal::HasAssignment("A=1", "A=1"));
  EXPECT_FALSE(internal::HasAssignment("", "A=1"));
}

}  // namespace
}  // namespace llmd::platform
