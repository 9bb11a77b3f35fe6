#include "hub/http_repository.h"

#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json_reader.h"
#include "domain/names.h"
#include "hub/fetch_file.h"
#include "hub/partial_file.h"
#include "hub/repository_info.h"

namespace llmd::hub {
namespace {

constexpr size_t kMaxInfoBytes = 32u << 20;
constexpr size_t kMaxTreeBytes = 64u << 20;  // all pages together
constexpr size_t kMaxTreeNodes = 2'000'000;

StatusOr<nlohmann::json> ReadAnswer(const Answer& answer, std::string_view what) {
  auto json = ParseJson(answer.response.body, what,
                        {.max_bytes = kMaxTreeBytes, .max_nodes = kMaxTreeNodes,
                         .allow_duplicate_keys = true});
  if (json.ok()) return json;
  return HubError(fmt::format("{} answered with broken JSON: {}", answer.url.Origin(),
                              Message(json.status())));
}

StatusOr<Url> ApiUrl(const HubClient& client, std::string_view path) {
  return ParseUrl(fmt::format("{}/api/models/{}", client.base(), path));
}

// What was read agrees with what was listed.
Status CheckContent(const FileEntry& file, std::string_view content) {
  if (IsLfsPointer(content)) return LfsPointerError(file.path);
  const bool git = file.sha256.empty();
  const std::string& wanted = git ? file.git_oid : file.sha256;
  if (wanted.empty()) return OkStatus();
  const std::string found = git ? GitBlobSha1(content) : Sha256Hex(content);
  if (found == wanted) return OkStatus();
  return MakeStatus(StatusCode::kDataLoss,
                    fmt::format("{} arrived damaged: its {} is {}, listed is {}", file.path,
                                git ? "git SHA-1" : "SHA-256", found, wanted),
                    {.code = "checksum_mismatch", .next_step = "Try again."});
}

Status TooLarge(std::string_view path, int64_t size, size_t max_bytes) {
  return MakeStatus(StatusCode::kResourceExhausted,
                    fmt::format("{} has {} bytes, more than the {} that are read of such a file",
                                path, size, max_bytes),
                    {.code = "file_too_large"});
}

}  // namespace

HttpRepository::HttpRepository(std::unique_ptr<HubClient> client, RepositoryInfo info)
    : client_(std::move(client)),
      info_(std::move(info)),
      reader_(*client_, info_.repo_id, *info_.revision) {}

StatusOr<std::unique_ptr<Repository>> HttpRepository::Open(std::unique_ptr<HubClient> client,
                                                           const std::string& repo_id,
                                                           const std::string& revision,
                                                           const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(
      Url url, ApiUrl(*client, fmt::format("{}/revision/{}", repo_id, EncodeSegment(revision))));
  const Subject subject{.endpoint = client->base(),
                        .repo_id = repo_id,
                        .revision = revision,
                        .has_token = client->has_token()};
  LLMD_ASSIGN_OR_RETURN(const Answer answer,
                        client->Get({.url = url, .max_body = kMaxInfoBytes}, subject, cancel));
  LLMD_ASSIGN_OR_RETURN(const nlohmann::json json, ReadAnswer(answer, "model info"));
  LLMD_ASSIGN_OR_RETURN(RepositoryInfo info, ParseModelInfo(json, repo_id));
  return std::unique_ptr<Repository>(new HttpRepository(std::move(client), std::move(info)));
}

Subject HttpRepository::About(std::string path) const {
  return {.endpoint = client_->base(),
          .repo_id = info_.repo_id,
          .revision = *info_.revision,
          .path = std::move(path),
          .has_token = client_->has_token()};
}

std::shared_ptr<const FileInventory> HttpRepository::KnownList() {
  MutexLock lock(mutex_);
  return list_;
}

StatusOr<FileInventory> HttpRepository::List(const CancelToken& cancel) {
  if (const auto known = KnownList()) return *known;
  LLMD_ASSIGN_OR_RETURN(FileInventory inventory, FetchTree(cancel));
  const auto list = std::make_shared<const FileInventory>(std::move(inventory));
  MutexLock lock(mutex_);
  list_ = list;
  return *list;
}

StatusOr<FileInventory> HttpRepository::FetchTree(const CancelToken& cancel) {
  std::vector<FileEntry> files;
  size_t bytes = 0;
  LLMD_ASSIGN_OR_RETURN(Url url, ApiUrl(*client_, fmt::format("{}/tree/{}?recursive=true&expand=false",
                                                              info_.repo_id, *info_.revision)));
  for (;;) {
    if (bytes >= kMaxTreeBytes) {
      return MakeStatus(StatusCode::kResourceExhausted,
                        fmt::format("the list of files of {} is too long", info_.repo_id),
                        {.code = "too_many_files"});
    }
    LLMD_ASSIGN_OR_RETURN(
        const Answer answer,
        client_->Get({.url = url, .max_body = kMaxTreeBytes - bytes}, About(""), cancel));
    bytes += answer.response.body.size() + 1;
    LLMD_ASSIGN_OR_RETURN(const nlohmann::json page, ReadAnswer(answer, "file list"));
    LLMD_RETURN_IF_ERROR(AppendTreePage(page, files));
    const std::string next = NextLink(answer.response.Header("link"));
    if (next.empty()) return MakeInventory(std::move(files));
    LLMD_ASSIGN_OR_RETURN(url, FollowReference(url, next));
    if (!url.SameOrigin(client_->endpoint())) {
      return MakeStatus(StatusCode::kFailedPrecondition,
                        fmt::format("{} continues its list of files at {}, which is somebody else",
                                    client_->base(), url.Origin()),
                        {.code = "unsafe_redirect"});
    }
  }
}

StatusOr<std::string> HttpRepository::ReadSmall(std::string_view path, size_t max_bytes,
                                                const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(ValidateRepoPath(path));
  const auto list = KnownList();
  const FileEntry* entry = list == nullptr ? nullptr : list->Find(path);
  if (list != nullptr && entry == nullptr) {
    return MakeStatus(StatusCode::kNotFound, fmt::format("{} has no file {}", info_.repo_id, path),
                      {.code = "file_not_found"});
  }
  const auto limit = static_cast<int64_t>(max_bytes);
  if (entry != nullptr && entry->size > limit) return TooLarge(path, entry->size, max_bytes);
  if (entry != nullptr && entry->size == 0) return std::string();

  int64_t size = -1;
  const RangeRequest request{.path = std::string(path),
                             .length = entry != nullptr ? entry->size : limit + 1,
                             .file_size = entry != nullptr ? entry->size : -1};
  LLMD_ASSIGN_OR_RETURN(std::string content, reader_.Read(request, &size, cancel));
  if (static_cast<int64_t>(content.size()) > limit) {
    return TooLarge(path, std::max(size, limit + 1), max_bytes);
  }
  const FileEntry unlisted{.path = std::string(path)};
  LLMD_RETURN_IF_ERROR(CheckContent(entry != nullptr ? *entry : unlisted, content));
  return content;
}

StatusOr<std::string> HttpRepository::ReadRange(std::string_view path, int64_t offset,
                                                int64_t length, const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(ValidateRepoPath(path));
  if (offset < 0 || length < 0) return InvalidArgument("range {}+{} of {}", offset, length, path);
  if (length == 0) return std::string();
  return reader_.Read({.path = std::string(path), .offset = offset, .length = length}, nullptr,
                      cancel);
}

Status HttpRepository::CheckAccess(const CancelToken& cancel) {
  if (!info_.gated && !info_.is_private) return OkStatus();
  LLMD_ASSIGN_OR_RETURN(Url url, ApiUrl(*client_, info_.repo_id + "/auth-check"));
  const Status status = client_->Get({.url = url}, About(""), cancel).status();
  if (status.code() != StatusCode::kNotFound) return status;
  // A mirror may not know that route: ask for one byte of a file.
  LLMD_ASSIGN_OR_RETURN(const FileInventory inventory, List(cancel));
  for (const FileEntry& file : inventory.files) {
    if (file.size > 0) return ReadRange(file.path, 0, 1, cancel).status();
  }
  return OkStatus();
}

Status HttpRepository::Fetch(const FileEntry& file, const std::string& target,
                             const ProgressSink& progress, const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(ValidateRepoPath(file.path));
  return FetchFile(reader_, client_->download_retry(), file, target, progress, cancel);
}

}  // namespace llmd::hub
