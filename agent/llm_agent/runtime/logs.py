"""Logs: JSON lines on stderr, plain lines when a person looks at them."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone

MAX_MESSAGE = 8192  # what a request or a library says may be endless


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + self.formatException(record.exc_info)
        when = datetime.fromtimestamp(record.created, timezone.utc)
        fields = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message[:MAX_MESSAGE],
        }
        return json.dumps(fields)


def setup_logs(level: int = logging.INFO) -> None:
    """Called once, first of all. Libraries' own progress bars are turned off elsewhere."""
    handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    else:
        handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for chatty in ("httpx", "urllib3", "filelock"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
