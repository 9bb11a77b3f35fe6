#!/usr/bin/env python3
"""Score a command's answers against the golden cases.

    tests/golden/score.py 'llmctl check {repo} --json' [--cases DIR] [--jobs 2] [--only REPO_ID]...

The command runs once a case, with {repo} replaced, in the current environment (HF_ENDPOINT,
HF_TOKEN, LLMD_HOME ...). Prints right, refused and wrong by group, then what differs. Exit 0 when
nothing is wrong and fewer than 3 % are refused.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import re
import shlex
import subprocess
import sys

CASES = pathlib.Path(__file__).resolve().parent / "cases"
FIELDS = (
    "detector",
    "handler",
    "kind",
    "architecture",
    "model_type",
    "loader",
    "quantization",
    "context_length",
    "supported",
)
MOST_REFUSED = 0.03


class Scorer:
    def __init__(self, case, answer, code):
        self.case, self.answer, self.code = case, answer, code
        self.expect = case["expect"]
        self.needs = answer.get("requirements") or {}
        self.found = []
        self.forbidden = False

    def options(self, field):
        return [self.expect.get(field), *(self.expect.get("accept") or {}).get(field, [])]

    def accepted(self, field, value):
        def fits(option):
            if isinstance(value, str) and isinstance(option, str):
                return value.lower() == option.lower()
            return value == option or (option is None and value in ("", 0))

        return any(fits(option) for option in self.options(field))

    def plain(self, field, value):
        if field in self.expect and not self.accepted(field, value):
            self.found.append(f"{field}: {value!r} instead of {self.expect[field]!r}")

    def packages(self, field):
        """Each list of an option names packages that must be there at least."""
        listed = [*(self.needs.get("packages") or []), *(self.needs.get("special") or [])]
        have = {re.split(r"[\[=<>;]", name)[0].strip().lower().replace("_", "-") for name in listed}
        for option in self.options(field):
            if {str(name).lower().replace("_", "-") for name in option or []} <= have:
                return
        self.found.append(f"{field}: {sorted(have)} lacks one of {self.expect.get(field)}")

    def reasons(self):
        if self.answer.get("supported") != self.expect.get("supported"):
            return
        said = " ".join(map(str, self.answer.get("reasons") or [])).lower()
        options = self.options("reasons_contains")
        if not any(all(str(word).lower() in said for word in option or []) for option in options):
            self.found.append(f"reasons do not say {options[0]}: {said!r}")

    def must_not(self):
        for field, bad in (self.case.get("must_not") or {}).items():
            name = "packages" if field == "requirements_packages" else field
            value = self.answer.get(name, self.needs.get(name))
            values = value if isinstance(value, list) else [value]
            for hit in [v for v in values if v in (bad if isinstance(bad, list) else [bad])]:
                self.forbidden = True
                self.found.append(f"must not be: {field} = {hit!r}")

    def verdict(self):
        for field in FIELDS:
            self.plain(field, self.answer.get(field))
        self.plain("remote_code", bool(self.needs.get("remote_code")))
        self.plain("trainable_lora", bool((self.answer.get("trainable") or {}).get("lora")))
        if self.expect.get("supported"):
            self.packages("requirements_packages")
            self.packages("special")
        self.reasons()
        # Whether there is room on this machine is not asked.
        no_room = self.expect.get("supported") and self.answer.get("supported") and self.code == 3
        if not no_room:
            self.plain("exit", self.code)
        self.must_not()
        if not self.found:
            return "right", []
        declined = self.expect.get("supported") and self.answer.get("supported") is False
        if declined and self.answer.get("reasons") and not self.forbidden:
            return "refused", self.found
        return "wrong", self.found


def judge(case, command):
    argv = [part.replace("{repo}", case["repo_id"]) for part in shlex.split(command)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return "wrong", ["no answer in 120 s"]
    except ValueError:
        said = (done.stderr or done.stdout).strip()[-200:]
        return "wrong", [f"no JSON (exit {done.returncode}): {said}"]
    return Scorer(case, answer, done.returncode).verdict()


def print_table(cases, verdicts):
    table = collections.defaultdict(collections.Counter)
    for case, (verdict, _) in zip(cases, verdicts, strict=True):
        table[case["group"]][verdict] += 1
        table["ALL"][verdict] += 1
    print(f"{'group':<18}{'right':>7}{'refused':>9}{'wrong':>7}")
    for group, counts in sorted(table.items(), key=lambda item: (item[0] == "ALL", item[0])):
        print(f"{group:<18}{counts['right']:>7}{counts['refused']:>9}{counts['wrong']:>7}")
    return table["ALL"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command")
    parser.add_argument("--cases", type=pathlib.Path, default=CASES)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    cases = [json.loads(path.read_text()) for path in sorted(args.cases.glob("*.json"))]
    cases = [case for case in cases if not args.only or case["repo_id"] in args.only]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        verdicts = list(pool.map(lambda case: judge(case, args.command), cases))
    everything = print_table(cases, verdicts)
    for case, (verdict, found) in zip(cases, verdicts, strict=True):
        if verdict != "right":
            print(f"\n{case['repo_id']} is {verdict}", *found, sep="\n    ")
    few = everything["refused"] <= MOST_REFUSED * max(len(cases), 1)
    sys.exit(0 if everything["wrong"] == 0 and few else 1)


if __name__ == "__main__":
    main()
