# SPDX-License-Identifier: Apache-2.0
"""usage: test_stalls.py STALLS. What the program that watches the cores does with a command, and says of it."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

STALLS = sys.argv[1]


def run(*words, **more):
    return subprocess.run([STALLS, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **more)


class Stalls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.result = os.path.join(folder.name, "result.json")

    def test_the_commands_words_output_and_exit_code_are_its_own(self):
        done = run(self.result, "sh", "-c", 'echo "$1"; exit 7', "sh", "a b")
        self.assertEqual((done.returncode, done.stdout), (7, "a b\n"))
        self.assertEqual(run(self.result, "sh", "-c", "kill -TERM $$").returncode, 128 + 15)

    def test_the_result_or_why_there_is_none(self):
        done = run(self.result, "sleep", "0.1")
        if "no real-time priority" in done.stderr:
            self.assertFalse(os.path.exists(self.result))
            return
        with open(self.result) as f:
            found = json.load(f)
        self.assertGreaterEqual(found["seconds"], 0.1)
        self.assertLessEqual(found["longest_ms"], found["stood_still_ms"])

    def test_the_command_does_not_run_before_others(self):
        done = run(self.result, sys.executable, "-c", "import os; print(os.sched_getscheduler(0) == os.SCHED_OTHER)")
        self.assertEqual(done.stdout, "True\n")

    def test_wrong_use_is_one_line(self):
        for words, code in (((), 2), ((self.result,), 2), (("--speed",), 2), ((self.result, "/nonexistent/program"), 126)):
            done = run(*words)
            errors = [line for line in done.stderr.splitlines() if "priority" not in line]
            self.assertEqual((done.returncode, done.stdout, len(errors)), (code, "", 1), words)
        self.assertTrue(run("--help").stdout.startswith("usage: stalls"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
