# SPDX-License-Identifier: Apache-2.0
"""usage: test_programs.py PROGRAM... What every benchmark does with a command line that asks, or is wrong."""

import os
import subprocess
import sys
import unittest

programs = sys.argv[1:]


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


class Programs(unittest.TestCase):
    def test_help(self):
        for program in programs:
            with self.subTest(program):
                done = run(program, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith(f"usage: {os.path.basename(program)}"), done.stdout)

    def test_a_wrong_command_line_is_one_line(self):
        for program in programs:
            with self.subTest(program):
                done = run(program, "--speed")
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertRegex(done.stderr, rf"^{os.path.basename(program)}: unknown option '--speed'[^\n]*--help[^\n]*\n$")

    def test_arguments_that_are_too_many_or_no_numbers(self):
        for program in programs:
            with self.subTest(program):
                done = run(program, "/nonexistent/a", "/nonexistent/b", "/nonexistent/c", "/nonexistent/d")
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
                if program.endswith(("bench_config", "bench_crypto")):
                    done = run(program, "0")
                    self.assertEqual(done.returncode, 2)
                    self.assertIn("is a number from 1 to", done.stderr)


if __name__ == "__main__":
    if not programs:
        sys.exit("no programs")
    unittest.main(argv=sys.argv[:1])
