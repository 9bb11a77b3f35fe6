"""The CDN's port: signed addresses of large files."""

from __future__ import annotations

import re
import time
from urllib.parse import unquote

from .content import send_file
from .exchange import ExchangeHandler
from .failure import Failure

SIGNED = re.compile(r"/xet-bridge-us/([^/]+)/([0-9a-f]{64})/([^/]+)")


class CdnHandler(ExchangeHandler):
    side = "cdn"

    def route(self) -> None:
        m = SIGNED.fullmatch(self.url_path)
        if m is None:
            raise Failure(404, "", "not found")
        if self.headers.get("authorization"):  # a token that followed the redirect is seen
            raise Failure(400, "", "Only one auth mechanism allowed")
        if int(self.query.get("Expires", ["0"])[0]) < time.time():
            raise Failure(403, "AccessDenied", "Request has expired")
        repo = self.state.find(unquote(m[1]))
        file = repo.files.get(unquote(m[3])) if repo else None
        if file is None or file.sha256 != m[2]:
            raise Failure(404, "", "not found")
        send_file(self, file, file.cdn_etag, {"Content-Type": "application/octet-stream"})
