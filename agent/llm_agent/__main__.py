"""`python -m llm_agent COMMAND`."""

import sys

from llm_agent.cli import main

if __name__ == "__main__":
    sys.exit(main())
