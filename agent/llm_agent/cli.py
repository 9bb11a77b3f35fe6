"""The commands of `python -m llm_agent`, one line each."""

from __future__ import annotations

import argparse
import logging
import sys

from llm_agent import __version__
from llm_agent.commands import infer, serve
from llm_agent.errors import AgentError
from llm_agent.runtime.logs import setup_logs
from llm_agent.runtime.readiness import Readiness

COMMANDS = {"serve": serve, "infer": infer}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m llm_agent", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=module.HELP, description=module.HELP))
    asked = parser.parse_args(arguments)
    setup_logs(logging.WARNING if asked.command == "infer" else logging.INFO)
    readiness = Readiness.from_environment()
    try:
        code: int = COMMANDS[asked.command].run(asked, readiness)
        return code
    except AgentError as error:
        readiness.failed(str(error))
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
