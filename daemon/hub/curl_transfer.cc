#include "hub/curl_transfer.h"

#include <charconv>

#include "domain/names.h"
#include "hub/url.h"

namespace llmd::hub {
namespace {

constexpr size_t kMaxHeaderBytes = 64u << 10;
constexpr size_t kMaxBuffered = 4u << 20;

std::string_view Trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

void SetProxy(CURL* easy, const Url& url, const TransportOptions& options) {
  // Set explicitly, also when empty: libcurl itself does not read HTTP_PROXY in upper case.
  const std::string& proxy = url.scheme == "https" ? options.https_proxy : options.http_proxy;
  curl_easy_setopt(easy, CURLOPT_PROXY, proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, options.no_proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

Status Unreachable(const std::string& origin, CURLcode code, const char* detail) {
  const bool tls = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                   code == CURLE_SSL_CERTPROBLEM;
  const std::string_view why = *detail != '\0' ? detail : curl_easy_strerror(code);
  if (tls) {
    return MakeStatus(
        StatusCode::kUnavailable,
        fmt::format("{} shows a certificate that is not trusted here: {}", origin, why),
        {.code = "tls_untrusted",
         .next_step = "Name the right certificate bundle in SSL_CERT_FILE."});
  }
  return MakeStatus(
      StatusCode::kUnavailable, fmt::format("cannot get an answer from {}: {}", origin, why),
      {.code = "hub_unreachable",
       .next_step = "Check the network, the proxy (https_proxy) and the endpoint (HF_ENDPOINT)."});
}

}  // namespace

CurlTransfer::CurlTransfer(const HttpRequest& request, const TransportOptions& options)
    : easy_(curl_easy_init()) {
  const StatusOr<Url> url = ParseUrl(request.url);
  if (url.ok()) origin_ = url->Origin();
  for (const std::string& line : request.headers) {
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  if (request.bulk) headers_ = curl_slist_append(headers_, "Accept-Encoding: identity");
  curl_easy_setopt(easy_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, request.fresh_connection ? 1L : 0L);
  // Several ranges multiplexed into one HTTP/2 connection would share one TCP window.
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION,
                   request.bulk ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
  if (!request.bulk) curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, request.bulk ? 256L << 10 : 64L << 10);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT,
                   static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, request.bulk ? 1024L : 1L);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
  if (!options.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.ca_folder.empty())
    curl_easy_setopt(easy_, CURLOPT_CAPATH, options.ca_folder.c_str());
  if (url.ok()) SetProxy(easy_, *url, options);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &CurlTransfer::OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &CurlTransfer::OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
}

CurlTransfer::~CurlTransfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void CurlTransfer::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  changed_.NotifyAll();
}

void CurlTransfer::Finish(CURLcode result) {
  MutexLock lock(mutex_);
  finished_ = true;
  head_known_ = head_known_ || result == CURLE_OK;
  result_ = result;
  changed_.NotifyAll();
}

CurlTransfer::Piece CurlTransfer::Next() {
  Piece piece;
  MutexLock lock(mutex_);
  while (buffer_.empty() && !finished_ && !cancelled_) changed_.Wait(mutex_);
  piece.cancelled = cancelled_;
  piece.bytes.swap(buffer_);
  piece.finished = finished_;
  piece.head_known = head_known_;
  piece.was_paused = std::exchange(paused_, false);
  return piece;
}

HttpResponse CurlTransfer::head() {
  MutexLock lock(mutex_);
  return head_;
}

Status CurlTransfer::Result() {
  MutexLock lock(mutex_);
  if (result_ == CURLE_OK) return OkStatus();
  if (header_bytes_ > kMaxHeaderBytes) {
    return MakeStatus(
        StatusCode::kResourceExhausted,
        fmt::format("{} answers with more than 64 KiB of headers", origin_),
        {.code = "hub_error", .next_step = "Check the endpoint: HF_ENDPOINT or hub.endpoint."});
  }
  return Unreachable(origin_, result_, error_);
}

size_t CurlTransfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  const size_t bytes = size * count;
  return static_cast<CurlTransfer*>(self)->TakeHeader({data, bytes}) ? bytes : 0;
}

size_t CurlTransfer::OnBody(char* data, size_t size, size_t count, void* self) {
  const size_t bytes = size * count;
  return static_cast<CurlTransfer*>(self)->TakeBody({data, bytes}) ? bytes : CURL_WRITEFUNC_PAUSE;
}

bool CurlTransfer::TakeHeader(std::string_view line) {
  MutexLock lock(mutex_);
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) return false;
  line = Trim(line);
  if (line.starts_with("HTTP/")) {  // also after a 1xx answer, whose headers do not count
    head_ = {};
    const size_t space = std::min(line.find(' '), line.size() - 1);
    std::from_chars(line.data() + space + 1, line.data() + line.size(), head_.status);
    return true;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  head_.headers.emplace_back(ToLower(Trim(line.substr(0, colon))), Trim(line.substr(colon + 1)));
  return true;
}

bool CurlTransfer::TakeBody(std::string_view bytes) {
  MutexLock lock(mutex_);
  head_known_ = true;
  if (!buffer_.empty() && buffer_.size() + bytes.size() > kMaxBuffered) {
    paused_ = true;
    return false;
  }
  buffer_.append(bytes);
  changed_.NotifyAll();
  return true;
}

}  // namespace llmd::hub
