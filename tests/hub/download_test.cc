// Downloads against the fixture hub and its faults.
#include "hub/download.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/mount.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/file.h"
#include "base/hash.h"
#include "hub/hub_test.h"
#include "hub/partial_file.h"

extern char** environ;

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::llmd::testing::Exchange;
using ::llmd::testing::FailsWith;
using ::llmd::testing::HubProcess;
using ::llmd::testing::IsOk;
using ::llmd::testing::RandomBytes;
using nlohmann::json;

constexpr char kWeights[] = "model.safetensors";

class DownloadTest : public HubTest {
 protected:
  StatusOr<std::vector<FileEntry>> Download(const std::string& repo_id,
                                            const HubCredentials& credentials = {},
                                            const CancelToken& cancel = {}) {
    const auto hub = MakeHub(Options());
    LLMD_ASSIGN_OR_RETURN(const auto repository, Open(*hub, repo_id, credentials));
    LLMD_ASSIGN_OR_RETURN(const FileInventory list, repository->List(cancel));
    return DownloadFiles(*repository, list.files, target_, {}, progress_, cancel);
  }
  // One rule about the weights' bytes.
  static void Spoil(json rule) {
    rule["side"] = "cdn";
    server().SetFaults(json::array({std::move(rule)}));
  }
  void ExpectWhole(const std::string& weights) {
    EXPECT_EQ(Read(kWeights), weights);
    for (const auto& entry : fs::recursive_directory_iterator(target_)) {
      EXPECT_EQ(entry.path().filename().string().find("llmd-"), std::string::npos) << entry.path();
    }
  }
  std::string Read(const std::string& name) { return folder_.Read("target/" + name); }

  const fs::path target_ = folder_ / "target";
  ProgressSink progress_;
};

TEST_F(DownloadTest, BringsEverythingVerified) {
  const std::string weights = RandomBytes(3 << 20, 1);
  Publish("acme/tiny", weights);
  server().Write("acme/tiny", "sub folder/empty.txt", "");
  server().Write("acme/tiny", "sub folder/deeper/#%.json", "{}");
  server().Reload();
  Progress last;
  progress_ = [&last](const Progress& now) { last = now; };
  const auto files = Download("acme/tiny", {.token = kGoodToken});
  ASSERT_THAT(files, IsOk());
  ExpectWhole(weights);
  EXPECT_EQ(Read("sub folder/deeper/#%.json"), "{}");
  EXPECT_EQ(Read("sub folder/empty.txt"), "");
  for (const FileEntry& file : *files) EXPECT_EQ(file.sha256, Sha256Hex(Read(file.path)));
  EXPECT_EQ(last.bytes_done, last.bytes_total);
  for (const Exchange& exchange : server().Log()) {
    EXPECT_EQ(exchange.auth, exchange.side == "cdn" ? "" : "Bearer hf_good") << exchange.path;
    if (exchange.path.find("resolve") != std::string::npos) {
      EXPECT_EQ(exchange.range.rfind("bytes=", 0), 0u) << exchange.path;  // never without
    }
  }
}

TEST_F(DownloadTest, ASecondDownloadFetchesNothing) {
  Publish("acme/tiny", RandomBytes(3 << 20, 2));
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  server().ClearLog();
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  EXPECT_TRUE(server().Log("resolve").empty());
}

TEST_F(DownloadTest, ABrokenStreamGoesOnWhereItBroke) {
  const std::string weights = RandomBytes(3 << 20, 3);
  Publish("acme/tiny", weights);
  Spoil({{"times", 4}, {"cut_after", 500'000}});
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
  EXPECT_EQ(server().BytesSent("xet-bridge"), static_cast<int64_t>(weights.size()));
}

TEST_F(DownloadTest, ServerErrorsAndLimitsAreWaitedOut) {
  const std::string weights = RandomBytes(100'000, 4);
  Publish("acme/tiny", weights);
  server().SetFaults(json::array({{{"side", "cdn"}, {"status", 503}},
                                  {{"side", "cdn"}, {"drop", true}},
                                  {{"match", "resolve/.*safetensors"}, {"rate_limit", 200}}}));
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
  const auto waited = waits();
  EXPECT_NE(std::find(waited.begin(), waited.end(), Duration(201s)), waited.end());
}

TEST_F(DownloadTest, GivesUpInTheEndAndGoesOnNextTime) {
  const std::string weights = RandomBytes(2 << 20, 5);
  Publish("acme/tiny", weights);
  server().SetFaults(json::array({{{"side", "cdn"}, {"cut_after", 1 << 20}},
                                  {{"side", "cdn"}, {"times", -1}, {"status", 500}}}));
  EXPECT_THAT(Download("acme/tiny"), FailsWith(StatusCode::kUnavailable, "hub_error"));
  EXPECT_FALSE(fs::exists(target_ / kWeights));
  server().SetFaults(json::array());
  server().ClearLog();
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
  EXPECT_EQ(server().BytesSent("xet-bridge"), static_cast<int64_t>(weights.size()) - (1 << 20));
}

TEST_F(DownloadTest, AStallIsNoticed) {
  const std::string weights = RandomBytes(2 << 20, 6);
  Publish("acme/tiny", weights);
  Spoil({{"stall_after", 700'000}});
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  server().Release();
  ExpectWhole(weights);
  const auto log = server().Log("xet-bridge");
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[1].range, fmt::format("bytes=700000-{}", weights.size() - 1));
}

TEST_F(DownloadTest, AWrongByteIsFetchedOnceMore) {
  const std::string weights = RandomBytes(2 << 20, 7);
  Publish("acme/tiny", weights);
  Spoil({{"wrong_byte", 1'234'567}});
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
}

TEST_F(DownloadTest, AWrongByteAgainIsAnErrorWithBothHashes) {
  const std::string weights = RandomBytes(2 << 20, 8);
  Publish("acme/tiny", weights);
  Spoil({{"times", -1}, {"wrong_byte", 1'234'567}});
  const auto refused = Download("acme/tiny");
  EXPECT_THAT(refused, FailsWith(StatusCode::kDataLoss, "checksum_mismatch"));
  EXPECT_NE(Message(refused.status()).find(Sha256Hex(weights)), std::string::npos);
  EXPECT_FALSE(fs::exists(target_ / kWeights));
  EXPECT_FALSE(fs::exists(PartialFile::JournalPath(target_ / kWeights)));
}

TEST_F(DownloadTest, AWrongByteInASmallFileIsAnError) {
  Publish("acme/tiny", "weights");
  server().SetFaults(json::array({{{"match", "config.json"}, {"times", -1}, {"wrong_byte", 0}}}));
  EXPECT_THAT(Download("acme/tiny"), FailsWith(StatusCode::kDataLoss, "checksum_mismatch"));
}

TEST_F(DownloadTest, TruncatedFilesAreAnError) {
  // The list says more than the server has; and the other way round.
  for (const int listed : {3000, 1000}) {
    Publish("acme/tiny", RandomBytes(2000, 9));
    server().SetFaults(json::array());
    const auto hub = MakeHub(Options());
    const auto repository = *Open(*hub, "acme/tiny");
    FileEntry file = *repository->List({})->Find(kWeights);
    file.size = listed;
    EXPECT_THAT(DownloadFiles(*repository, {file}, target_, {}, {}, {}),
                FailsWith(StatusCode::kDataLoss, "size_mismatch"));
    EXPECT_FALSE(fs::exists(target_ / kWeights));
  }
}

TEST_F(DownloadTest, AServerThatIgnoresRangeIsReadFromTheBegin) {
  const std::string weights = RandomBytes(2 << 20, 10);
  Publish("acme/tiny", weights);
  Spoil({{"times", -1}, {"ignore_range", true}});
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
}

TEST_F(DownloadTest, AServerThatIgnoresRangeCannotGoOnInTheMiddle) {
  const std::string weights = RandomBytes(2 << 20, 11);
  Publish("acme/tiny", weights);
  server().SetFaults(json::array({{{"side", "cdn"}, {"cut_after", 1 << 20}},
                                  {{"side", "cdn"}, {"times", -1}, {"ignore_range", true}}}));
  EXPECT_THAT(Download("acme/tiny"), FailsWith(StatusCode::kUnavailable, "hub_error"));
}

TEST_F(DownloadTest, TheCdnsOwnETagIsNoHash) {
  const std::string weights = RandomBytes(100'000, 12);
  Publish("acme/tiny", weights);
  Spoil({{"times", -1}, {"etag", std::string(64, 'e')}});
  ASSERT_THAT(Download("acme/tiny"), IsOk());
}

TEST_F(DownloadTest, AnExpiredAddressIsAskedForAgain) {
  const std::string weights = RandomBytes(3 << 20, 13);
  Publish("acme/tiny", weights);
  server().SetFaults(
      json::array({{{"side", "cdn"}, {"cut_after", 1 << 20}}, {{"side", "cdn"}, {"status", 403}}}));
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
  EXPECT_GE(server().Log("resolve/.*safetensors").size(), 2u);
}

TEST_F(DownloadTest, TheTokenDoesNotFollowARedirect) {
  const std::string weights = RandomBytes(100'000, 14);
  Publish("acme/gated", weights, {{"gated", "auto"}, {"tokens", {kGoodToken}}});
  HubProcess stranger;
  stranger.Write("acme/gated", kWeights, weights);
  stranger.Reload();
  const std::string there = stranger.url() + "/acme/gated/resolve/main/" + kWeights;
  server().SetFaults(json::array({{{"match", "resolve/.*safetensors"}, {"location", there}}}));
  ASSERT_THAT(Download("acme/gated", {.token = kGoodToken}), IsOk());
  ExpectWhole(weights);
  const auto seen = stranger.Log();
  ASSERT_FALSE(seen.empty());
  for (const Exchange& exchange : seen) {
    EXPECT_EQ(exchange.auth, "");
    EXPECT_EQ(exchange.path.find(kGoodToken), std::string::npos);
    EXPECT_NE(exchange.range, "");
  }
}

TEST_F(DownloadTest, GatedFilesWithoutAccess) {
  Publish("acme/gated", "weights", {{"gated", "auto"}, {"tokens", {kGoodToken}}});
  EXPECT_THAT(Download("acme/gated"), FailsWith(StatusCode::kUnauthenticated, "gated_needs_token"));
  EXPECT_THAT(Download("acme/gated", {.token = kOtherToken}),
              FailsWith(StatusCode::kPermissionDenied, "gated"));
}

TEST_F(DownloadTest, CancelKeepsWhatIsThere) {
  const std::string weights = RandomBytes(2 << 20, 15);
  Publish("acme/tiny", weights);
  Spoil({{"stall_after", 1 << 20}});
  CancelSource source;
  progress_ = [&source](const Progress& now) {
    if (now.bytes_done >= 1 << 20) source.Cancel();
  };
  EXPECT_EQ(Download("acme/tiny", {}, source.token()).status().code(), StatusCode::kCancelled);
  server().Release();
  server().ClearLog();
  progress_ = {};
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
  EXPECT_EQ(server().Log("xet-bridge").front().range,
            fmt::format("bytes={}-{}", 1 << 20, weights.size() - 1));
}

TEST_F(DownloadTest, LinksInTheTargetAreNotFollowed) {
  Publish("acme/tiny", "weights");
  server().Write("acme/tiny", "sub/file.txt", "text");
  server().Reload();
  fs::create_directories(folder_ / "elsewhere");
  fs::create_directories(target_);
  fs::create_directory_symlink(folder_ / "elsewhere", target_ / "sub");
  EXPECT_FALSE(Download("acme/tiny").ok());
  EXPECT_TRUE(fs::is_empty(folder_ / "elsewhere"));
}

TEST_F(DownloadTest, UnsafeNamesNeverReachTheDisk) {
  const auto hub = MakeHub(Options());
  Publish("acme/tiny", "weights");
  const auto repository = *Open(*hub, "acme/tiny");
  for (const char* path : {"../escaped", "/tmp/escaped", "a/../../escaped", "x\\escaped"}) {
    EXPECT_THAT(DownloadFiles(*repository, {{.path = path, .size = 1}}, target_, {}, {}, {}),
                FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
  }
  EXPECT_FALSE(fs::exists(folder_ / "escaped"));
}

TEST_F(DownloadTest, MoreThanTheDiskHoldsIsRefusedBeforeTheFirstByte) {
  Publish("acme/tiny", "weights",
          {{"virtual", {{{"path", "big.gguf"}, {"size", 4'000'000'000'000'000}}}}});
  const auto refused = Download("acme/tiny");
  EXPECT_THAT(refused, FailsWith(StatusCode::kResourceExhausted, "disk_full"));
  EXPECT_NE(Message(refused.status()).find("4200000000"), std::string::npos);
  EXPECT_TRUE(server().Log("resolve").empty());
}

// A small file system of its own, which root may mount.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
#if defined(__linux__)
    mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=8m") == 0;
    error_ = errno;
#else
    error_ = ENOTSUP;
#endif
  }
  ~SmallDisk() {
#if defined(__linux__)
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
#endif
  }
  bool mounted() const { return mounted_; }
  std::string why_not() const { return std::strerror(error_); }

 private:
  fs::path folder_;
  bool mounted_ = false;
  int error_ = 0;
};

TEST_F(DownloadTest, ADiskThatFillsUpMeanwhileIsSaidAndTheSameDownloadGoesOnLater) {
  const SmallDisk disk(target_);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small file system: " << disk.why_not();
  const std::string weights = RandomBytes(5 << 20, 16);
  Publish("acme/tiny", weights);
  Spoil({{"times", -1}, {"rate", 20'000'000}});
  const fs::path filler = target_ / "filler";
  progress_ = [&](const Progress& now) {
    if (now.bytes_done < 2 << 20 || fs::exists(filler)) return;
    const auto file = OpenFile(filler, O_WRONLY | O_CREAT, 0600);
    ASSERT_THAT(file, IsOk());
    const std::string megabyte(1 << 20, 'x');
    while (WriteAll(file->get(), megabyte).ok()) continue;
  };
  EXPECT_THAT(Download("acme/tiny"), FailsWith(StatusCode::kResourceExhausted, "disk_full"));
  EXPECT_FALSE(fs::exists(target_ / kWeights));
  progress_ = {};
  fs::remove(filler);
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
}

// Downloads in a process of its own, which can be killed.
class Downloader {
 public:
  Downloader(const std::string& endpoint, const fs::path& target) {
    int out[2];
    if (::pipe2(out, O_CLOEXEC) != 0) return;
    std::string program = LLMD_BINARY_DIR "/tests/hub_downloader";
    std::string words[] = {endpoint, "acme/tiny", target.string()};
    char* argv[] = {program.data(), words[0].data(), words[1].data(), words[2].data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    output_ = FileDescriptor(out[0]);
  }
  // Blocks until so many bytes have been written; false when it ended before.
  bool WaitForBytes(int64_t bytes) {
    char c = 0;
    for (std::string line; ::read(output_.get(), &c, 1) == 1;) {
      if (c != '\n') {
        line.push_back(c);
        continue;
      }
      if (std::stoll(line) >= bytes) return true;
      line.clear();
    }
    return false;
  }
  void Kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  FileDescriptor output_;
};

// Where the journal of a killed process ends.
int64_t NotedBytes(const std::string& journal) {
  std::istringstream lines(journal);
  std::string line;
  std::getline(lines, line);
  int64_t begin = 0;
  int64_t noted = 0;
  while (std::getline(lines, line)) {
    if (lines.eof()) break;  // torn
    std::istringstream(line) >> begin >> noted;
  }
  return noted;
}

TEST_F(DownloadTest, AfterSigkillNoVerifiedByteIsFetchedAgain) {
  const int64_t size = 52 << 20;
  const std::string weights = RandomBytes(size, 17);
  Publish("acme/tiny", weights);
  int64_t noted = 0;
  int64_t received = 0;
  for (const int64_t stop : {20 << 20, 42 << 20}) {
    server().ClearLog();
    Spoil({{"times", -1}, {"stall_after", stop - noted}});
    Downloader child(server().url(), target_);
    ASSERT_TRUE(child.WaitForBytes(received = stop));
    child.Kill();
    server().Release();
    const auto log = server().Log("xet-bridge");
    ASSERT_FALSE(log.empty());
    EXPECT_EQ(log.front().range.find(fmt::format("bytes={}-", noted)), 0u) << log.front().range;
    EXPECT_FALSE(fs::exists(target_ / kWeights));
    noted = NotedBytes(folder_.Read(std::string("target/") + kWeights + ".llmd-journal"));
    EXPECT_LE(received - noted, (16 << 20) + (4 << 20));  // one note and one buffer
  }
  EXPECT_GE(noted, 20 << 20);
  server().SetFaults(json::array());
  server().ClearLog();
  ASSERT_THAT(Download("acme/tiny"), IsOk());
  ExpectWhole(weights);
  EXPECT_EQ(server().BytesSent("xet-bridge"), size - noted);
}

TEST_F(DownloadTest, AFileThatWasWholeBeforeSigkillIsNeitherFetchedNorListedTwice) {
  const std::string weights = RandomBytes(24 << 20, 18);
  Publish("acme/tiny", weights);
  server().Write("acme/tiny", "first.bin", RandomBytes(1000, 19));
  server().Reload();
  Spoil({{"match", kWeights}, {"times", -1}, {"stall_after", 20 << 20}});
  Downloader child(server().url(), target_);
  ASSERT_TRUE(child.WaitForBytes(20 << 20));
  child.Kill();
  server().Release();
  ASSERT_TRUE(fs::exists(target_ / "first.bin"));  // small files come first
  server().SetFaults(json::array());
  server().ClearLog();
  const auto files = Download("acme/tiny");
  ASSERT_THAT(files, IsOk());
  EXPECT_TRUE(server().Log("first.bin").empty());
  EXPECT_EQ(files->size(), 3u);
  ExpectWhole(weights);
}

}  // namespace
}  // namespace llmd::hub
