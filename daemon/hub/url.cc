#include "hub/url.h"

#include <curl/curl.h>

#include <charconv>
#include <memory>

#include "domain/names.h"

namespace llmd::hub {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string Part(const Handle& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

// Signed addresses carry secrets in their query: it is left out of messages.
std::string WithoutQuery(std::string_view text) {
  return SanitizeForTerminal(text.substr(0, std::min<size_t>(text.find('?'), 200)));
}

StatusOr<Url> Describe(const Handle& handle, std::string_view text) {
  Url url{.text = Part(handle, CURLUPART_URL),
          .scheme = Part(handle, CURLUPART_SCHEME),
          .host = ToLower(Part(handle, CURLUPART_HOST))};
  const std::string port = Part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (url.host.empty() || url.port <= 0 || (url.scheme != "http" && url.scheme != "https")) {
    return InvalidArgument("'{}' is not an http or https address", WithoutQuery(text));
  }
  return url;
}

}  // namespace

std::string Url::Origin() const { return fmt::format("{}://{}:{}", scheme, host, port); }

StatusOr<Url> ParseUrl(std::string_view text) {
  const Handle handle(curl_url(), &curl_url_cleanup);
  const std::string copy(text);
  const CURLUcode code =
      curl_url_set(handle.get(), CURLUPART_URL, copy.c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) {
    return InvalidArgument("'{}' is not an address: {}", WithoutQuery(text),
                           curl_url_strerror(code));
  }
  return Describe(handle, text);
}

StatusOr<Url> FollowReference(const Url& base, std::string_view reference) {
  const Handle handle(curl_url(), &curl_url_cleanup);
  const std::string copy(reference);
  CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, base.text.c_str(), 0);
  if (code == CURLUE_OK) {
    code = curl_url_set(handle.get(), CURLUPART_URL, copy.c_str(), CURLU_DISALLOW_USER);
  }
  if (code != CURLUE_OK) {
    return MakeStatus(StatusCode::kFailedPrecondition,
                      fmt::format("{} redirects to '{}', which is not an address: {}",
                                  base.Origin(), WithoutQuery(reference), curl_url_strerror(code)),
                      {.code = "unsafe_redirect",
                       .next_step = "Check the endpoint: HF_ENDPOINT or hub.endpoint."});
  }
  StatusOr<Url> url = Describe(handle, reference);
  const bool downgrade = url.ok() && base.scheme == "https" && url->scheme == "http";
  if (!url.ok() || downgrade) {
    return MakeStatus(
        StatusCode::kFailedPrecondition,
        fmt::format("{} redirects to '{}', which is {}", base.Origin(), WithoutQuery(reference),
                    downgrade ? "not encrypted" : "neither http nor https"),
        {.code = "unsafe_redirect",
         .next_step = "Check the endpoint: HF_ENDPOINT or hub.endpoint."});
  }
  return url;
}

std::string EncodeSegment(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (byte < 0x80) && (isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~');
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::string EncodePath(std::string_view path) {
  std::string out;
  for (size_t begin = 0;;) {
    const size_t slash = path.find('/', begin);
    out += EncodeSegment(path.substr(begin, slash - begin));
    if (slash == std::string_view::npos) return out;
    out.push_back('/');
    begin = slash + 1;
  }
}

std::string NextLink(std::string_view header) {
  for (size_t open = header.find('<'); open != std::string_view::npos;
       open = header.find('<', open + 1)) {
    const size_t close = header.find('>', open);
    if (close == std::string_view::npos) return {};
    const size_t end = std::min(header.find('<', close), header.size());
    const std::string_view parameters = header.substr(close, end - close);
    if (parameters.find("rel=\"next\"") != std::string_view::npos ||
        parameters.find("rel=next") != std::string_view::npos) {
      return std::string(header.substr(open + 1, close - open - 1));
    }
  }
  return {};
}

}  // namespace llmd::hub
