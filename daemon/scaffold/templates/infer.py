#!/usr/bin/env python3
"""Asks this model once, without llmd: scripts/infer.py "your question" (see --help)."""

import os
import sys

folder = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
python = os.path.join(folder, ".venv", "bin", "python")
if not os.access(python, os.X_OK):
    sys.exit("error: there is no Python at " + python + ": install the model again")
environment = dict(os.environ, PYTHONNOUSERSITE="1", PYTHONSAFEPATH="1")
environment.setdefault("HF_HUB_OFFLINE", "1")
environment.setdefault("TRANSFORMERS_OFFLINE", "1")
arguments = [python, "-m", "llm_agent", "infer", "--folder", folder] + sys.argv[1:]
os.execve(python, arguments, environment)
