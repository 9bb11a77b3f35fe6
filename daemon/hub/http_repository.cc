#include "hub/http_repository.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json_reader.h"
#include "base/thread.h"
#include "domain/names.h"
#include "hub/fetch_file.h"
#include "hub/metadata_cache.h"
#include "hub/partial_file.h"
#include "hub/repository_info.h"

namespace llmd::hub {
namespace {

constexpr size_t kMaxInfoBytes = 32u << 20;
constexpr size_t kMaxTreeBytes = 64u << 20;  // all pages together
constexpr size_t kMaxTreeNodes = 2'000'000;
constexpr int kMaxTreePages = 2'100;  // the Hub's smallest pages have 50 entries
constexpr size_t kMaxRevisionBytes = 255;
constexpr int kParallelReads = 8;

StatusOr<nlohmann::json> ReadAnswer(const Answer& answer, std::string_view what) {
  auto json = ParseJson(
      answer.response.body, what,
      {.max_bytes = kMaxTreeBytes, .max_nodes = kMaxTreeNodes, .allow_duplicate_keys = true});
  if (json.ok()) return json;
  return HubError(
      fmt::format("{} answered with broken JSON: {}", answer.url.Origin(), Message(json.status())));
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

}  // namespace

StatusOr<RepositoryInfo> FetchInfo(HubClient& client, const std::string& repo_id,
                                   const std::string& revision, const CancelToken& cancel) {
  const Subject subject{.endpoint = client.base(),
                        .repo_id = repo_id,
                        .revision = revision,
                        .has_token = client.has_token()};
  if (revision.size() > kMaxRevisionBytes) {
    return MakeStatus(
        StatusCode::kInvalidArgument, "no revision has so long a name",
        {.code = "revision_not_found", .next_step = "Name a branch, a tag or a full commit id."});
  }
  LLMD_ASSIGN_OR_RETURN(const Url url, ApiUrl(client, fmt::format("{}/revision/{}", repo_id,
                                                                  EncodeSegment(revision))));
  LLMD_ASSIGN_OR_RETURN(const Answer answer,
                        client.Get({.url = url, .max_body = kMaxInfoBytes}, subject, cancel));
  LLMD_ASSIGN_OR_RETURN(const nlohmann::json json, ReadAnswer(answer, "model info"));
  LLMD_ASSIGN_OR_RETURN(RepositoryInfo info, ParseModelInfo(json, repo_id));
  // Another name is believed of a repository that was renamed, which shows as a redirect.
  const bool moved = answer.url.text != url.text;
  if (!moved && ToLower(info.repo_id) != ToLower(repo_id)) info.repo_id = repo_id;
  return info;
}

HttpRepository::HttpRepository(std::unique_ptr<HubClient> client, RepositoryInfo info,
                               std::filesystem::path kept_in)
    : client_(std::move(client)),
      info_(std::move(info)),
      kept_in_(std::move(kept_in)),
      reader_(*client_, info_.repo_id, *info_.revision),
      store_(kept_in_) {}

Subject HttpRepository::About(std::string path) const {
  return {.endpoint = client_->base(),
          .repo_id = info_.repo_id,
          .revision = *info_.revision,
          .path = std::move(path),
          .has_token = client_->has_token()};
}

StatusOr<std::shared_ptr<const FileInventory>> HttpRepository::KnownList(
    const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(cancel.Check());
  {
    MutexLock lock(mutex_);
    if (list_ != nullptr) return list_;
  }
  std::optional<FileInventory> kept = LoadList(kept_in_);
  if (!kept) {
    LLMD_ASSIGN_OR_RETURN(kept, FetchTree(cancel));
    StoreList(kept_in_, *kept);
  }
  auto list = std::make_shared<const FileInventory>(*std::move(kept));
  MutexLock lock(mutex_);
  list_ = std::move(list);
  return list_;
}

StatusOr<FileInventory> HttpRepository::List(const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(const auto list, KnownList(cancel));
  return *list;
}

StatusOr<FileInventory> HttpRepository::FetchTree(const CancelToken& cancel) {
  std::vector<FileEntry> files;
  size_t bytes = 0;
  LLMD_ASSIGN_OR_RETURN(
      Url url, ApiUrl(*client_, fmt::format("{}/tree/{}?recursive=true&expand=false", info_.repo_id,
                                            *info_.revision)));
  for (int pages = 0; pages < kMaxTreePages && bytes < kMaxTreeBytes; ++pages) {
    StatusOr<Answer> answer =
        client_->Get({.url = url, .max_body = kMaxTreeBytes - bytes}, About(""), cancel);
    if (answer.status().code() == StatusCode::kResourceExhausted) break;
    LLMD_RETURN_IF_ERROR(answer.status());
    bytes += answer->response.body.size() + 1;
    LLMD_ASSIGN_OR_RETURN(const nlohmann::json page, ReadAnswer(*answer, "file list"));
    LLMD_RETURN_IF_ERROR(AppendTreePage(page, files));
    const std::string next = NextLink(answer->response.Header("link"));
    if (next.empty()) return MakeInventory(std::move(files));
    LLMD_ASSIGN_OR_RETURN(url, FollowReference(url, next));
    if (!url.SameOrigin(client_->endpoint())) {
      return UnsafeRedirect(
          fmt::format("{} continues its list of files at {}, which is somebody else",
                      client_->base(), url.Origin()));
    }
  }
  return TooManyFiles(info_.repo_id);
}

StatusOr<HttpRepository::Span> HttpRepository::SpanOf(std::string_view path, int64_t offset,
                                                      int64_t length, const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(ValidateRepoPath(path));
  if (offset < 0 || length < 0) return InvalidArgument("range {}+{} of {}", offset, length, path);
  LLMD_ASSIGN_OR_RETURN(const auto list, KnownList(cancel));
  const FileEntry* entry = list->Find(path);
  if (entry == nullptr) return FileNotFound(info_.repo_id, path);
  const int64_t begin = std::min(offset, entry->size);
  return Span{.file = *entry, .offset = begin, .length = std::min(length, entry->size - begin)};
}

StatusOr<std::string> HttpRepository::Read(const Span& span, const CancelToken& cancel) {
  if (span.length == 0) return std::string();
  if (auto kept = store_.Find(span.file.path, span.offset, span.length)) return *std::move(kept);
  LLMD_ASSIGN_OR_RETURN(std::string bytes, reader_.Read({.path = span.file.path,
                                                         .offset = span.offset,
                                                         .length = span.length,
                                                         .file_size = span.file.size},
                                                        cancel));
  if (span.offset == 0 && IsLfsPointer(bytes)) return LfsPointerError(span.file.path);
  if (span.whole()) LLMD_RETURN_IF_ERROR(CheckContent(span.file, bytes));
  store_.Put(span.file.path, span.offset, bytes);
  return bytes;
}

StatusOr<std::string> HttpRepository::ReadSmall(std::string_view path, size_t max_bytes,
                                                const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(const Span span,
                        SpanOf(path, 0, std::numeric_limits<int64_t>::max(), cancel));
  if (span.length > static_cast<int64_t>(max_bytes))
    return FileTooLarge(path, span.length, max_bytes);
  return Read(span, cancel);
}

StatusOr<std::string> HttpRepository::ReadRange(std::string_view path, int64_t offset,
                                                int64_t length, const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(const Span span, SpanOf(path, offset, length, cancel));
  return Read(span, cancel);
}

Status HttpRepository::Prefetch(const std::vector<ReadRequest>& wanted, const CancelToken& cancel) {
  std::vector<Span> spans;
  for (const ReadRequest& request : wanted) {
    const StatusOr<Span> span =
        SpanOf(request.path, request.whole ? 0 : request.offset, request.length, cancel);
    LLMD_RETURN_IF_ERROR(cancel.Check());
    if (!span.ok() || span->length == 0 || (request.whole && !span->whole())) continue;
    if (!store_.Has(span->file.path, span->offset, span->length)) spans.push_back(*span);
  }
  std::atomic<size_t> next = 0;
  std::atomic<bool> unreachable = false;
  const auto work = [&] {
    for (size_t i = next++; i < spans.size() && !unreachable; i = next++) {
      // Where nothing answers, waiting for each of the others helps nobody.
      if (Read(spans[i], cancel).status().code() == StatusCode::kUnavailable) unreachable = true;
    }
  };
  {
    std::vector<JoiningThread> workers;
    const size_t count = std::min<size_t>(spans.size(), kParallelReads);
    for (size_t i = 1; i < count; ++i) workers.emplace_back("hub-read", work);
    work();
  }
  return cancel.Check();
}

Status HttpRepository::CheckAccess(const CancelToken& cancel) {
  const bool open = !info_.gated && !info_.is_private;
  if (open || client_->offline()) return cancel.Check();
  LLMD_ASSIGN_OR_RETURN(const Url url, ApiUrl(*client_, info_.repo_id + "/auth-check"));
  const Status status = client_->Get({.url = url}, About(""), cancel).status();
  if (status.code() != StatusCode::kNotFound) return status;
  // A mirror may not know that route: ask for one byte of a file.
  LLMD_ASSIGN_OR_RETURN(const auto list, KnownList(cancel));
  for (const FileEntry& file : list->files) {
    if (file.size == 0) continue;
    return reader_.Read({.path = file.path, .length = 1, .file_size = file.size}, cancel).status();
  }
  return OkStatus();
}

Status HttpRepository::Fetch(const FileEntry& file, const std::string& target,
                             const ProgressSink& progress, const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(ValidateRepoPath(file.path));
  if (client_->offline() && local_files_ != nullptr) {
    return local_files_->Fetch(file, target, progress, cancel);
  }
  return FetchFile(reader_, client_->download_retry(), file, target, progress, cancel);
}

}  // namespace llmd::hub
