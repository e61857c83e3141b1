# SPDX-License-Identifier: Apache-2.0
"""
Counts test cases: of meson's test logs (one JSON object a line) and of TAP files.

usage: tally.py NAME=FILE...   prints a line for each group and each case that failed or was skipped, and last
`N passed, N failed, N skipped`; exit code 1 when anything failed or nothing ran.
"""

import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b[ \t]*\d*[ \t]*-?[ \t]*(.*)$")


def tap_cases(text):
    """(name, "passed" | "failed" | "skipped") of each case; a plan that promises more than came is a failure."""
    planned, cases = None, []
    for line in text.splitlines():
        plan = re.match(r"^1\.\.(\d+)", line)
        if plan:
            planned = (planned or 0) + int(plan.group(1))
        match = CASE.match(line)
        if match:
            name, _, directive = match.group(2).partition("#")
            # cmocka writes a skipped case as "not ok N # SKIP name".
            skipped = directive.strip().lower().startswith("skip")
            state = "skipped" if skipped else "failed" if match.group(1) else "passed"
            cases.append((name.strip() + (f" ({directive.strip()})" if skipped else ""), state))
        elif line.startswith("Bail out!"):
            cases.append((line, "failed"))
    if planned is not None and planned > len(cases):
        cases.append((f"{planned - len(cases)} planned cases did not report", "failed"))
    return cases


def meson_cases(text):
    for line in text.splitlines():
        test = json.loads(line)
        cases = tap_cases(test.get("stdout", "")) if "1.." in test.get("stdout", "") else []
        if test["result"] == "SKIP":
            yield test["name"], "skipped"
        elif cases:
            for name, state in cases:
                yield f"{test['name']}: {name}", state
            if test["result"] != "OK" and all(state != "failed" for _, state in cases):
                yield f"{test['name']}: ended with {test['result']} (exit {test.get('returncode')})", "failed"
        else:
            yield test["name"], "passed" if test["result"] == "OK" else "failed"


def main(groups):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for group in groups:
        name, _, path = group.partition("=")
        count = dict.fromkeys(total, 0)
        try:
            with open(path, errors="replace") as f:
                text = f.read()
            cases = list(meson_cases(text) if path.endswith(".json") else tap_cases(text))
        except OSError as e:
            cases = [(f"no results: {e.strerror}", "failed")]
        for case, state in cases or [("nothing ran", "failed")]:
            count[state] += 1
            total[state] += 1
            if state != "passed":
                print(f"{state.upper()}: {name}: {case}")
        print(f"{name}: " + ", ".join(f"{count[s]} {s}" for s in total))
    print(", ".join(f"{total[s]} {s}" for s in total))
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
