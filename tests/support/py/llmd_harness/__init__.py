"""Runs the real programs for end-to-end tests: Daemon, Llmctl, fixture hub, HTTP."""

from .daemon import Daemon, DaemonExit
from .http import Answer, request, stream_lines
from .llmctl import Llmctl, Result
from .network import closed_port, taken_port
from .programs import programs

__all__ = [
    "Answer",
    "Daemon",
    "DaemonExit",
    "Llmctl",
    "Result",
    "closed_port",
    "programs",
    "request",
    "stream_lines",
    "taken_port",
]
