"""The examples as a user meets them: piped, as JSON, and on a terminal."""
import json
import re
import unittest

from support import SANITIZED, TERMINAL, clean_environment, main, messages, plain_lines, run
from terminal import Terminal, control_bytes

EXAMPLES = {"hello": [], "levels": [], "progress": [], "parent_child": [], "fork_without_exec": [], "many_children": ["--quick"]}
BARS = {"hello": (), "levels": (), "progress": ("Downloading", "Unpacking", "Searching", "Reading", "Album", "Song 1", "Song 2",
                                                     "Song 3", "Uploading"),
        "parent_child": ("Child 1", "Child 2", "Child 3"),
        "fork_without_exec": ("Worker 1", "Worker 2", "Worker 3"),
        "many_children": ("Release", "Download fonts", "Download images", "Compile engine", "Compile plug-ins", "Verify archive", "Verify signature")}

if SANITIZED:
    del EXAMPLES["fork_without_exec"]  # the address sanitizer of clang 16 leaves its allocator's locks to the child as they were


def started(case, name, **options):
    program = run(case, name, *EXAMPLES[name], **options)
    case.assertEqual(program.out.bytes(), b"", name)
    return program


# The line that a bar leaves: its description, and later how it ended.
ENDED = r"\b{}\b.*(?:finished|failed)\b"


class Piped(unittest.TestCase):
    def lines(self, name, **variables):
        program = started(self, name, env=clean_environment(**variables))
        self.assertEqual(control_bytes(program.err.bytes()), [])
        lines = plain_lines(self, program.err.text())
        self.assertEqual([line for line in lines if line.name == "dlog"], [], "dlog has nothing to remark")
        return lines

    def test_hello(self):
        lines = self.lines("hello")
        self.assertEqual([(line.level, line.name) for line in lines], [("INF", "hello")] * len(lines))
        self.assertIn("request 42 took 12.5 us", messages(lines))

    def test_levels(self):
        lines = self.lines("levels")
        self.assertEqual([line.level for line in lines], ["DBG", "INF", "WRN", "ERR", "FTL", "INF", "ERR"])
        self.assertIn("disk 91% full", messages(lines))
        self.assertIn("text given alone is not a format: {} stays as it is", messages(lines))
        self.assertEqual(messages(lines)[-1], "shown")

    def test_levels_by_the_environment(self):
        self.assertEqual([line.level for line in self.lines("levels", DLOG_LEVEL="Error")], ["ERR", "FTL", "ERR"])
        self.assertEqual(self.lines("levels", DLOG_LEVEL="trace")[0].level, "TRC")

    def test_progress(self):
        lines = self.lines("progress")
        for bar, words in (("Downloading", "finished"), ("Unpacking", "finished"), ("Searching", "finished"), ("Reading", "finished"),
                           ("Uploading", "failed.*connection lost")):
            own = [message for message in messages(lines) if message.startswith(bar)]
            self.assertRegex(own[-1], words)
            self.assertEqual(len([m for m in own if re.search(r"finished|failed|abandoned", m)]), 1)
        self.assertEqual(messages(lines).count("reading a.txt"), 1)

    @unittest.skipIf(SANITIZED, "see EXAMPLES")
    def test_fork_without_exec(self):
        lines = self.lines("fork_without_exec")
        self.assertEqual(len({line.pid for line in lines}), 4)
        for number in (1, 2, 3):
            jobs = [line for line in lines if line.message.startswith(f"worker {number} did job")]
            self.assertEqual([line.message for line in jobs], [f"worker {number} did job {job}" for job in range(8)])
            self.assertEqual(len({line.pid for line in jobs}), 1)
            self.assertEqual(sum(bool(re.search(ENDED.format(f"Worker {number}"), message)) for message in messages(lines)), 1)
        self.assertEqual(messages(lines)[-1], "all 3 workers have ended")

    def test_test_what_is_shown(self):
        for variables in ({}, {"DLOG_NO_PROGRESS": "true"}, {"DLOG_FORMAT": "json"}):
            run(self, "test_what_is_shown", env=clean_environment(**variables))

    def test_progress_simple_and_off(self):
        text = started(self, "progress", env=clean_environment(DLOG_SIMPLE="true")).err.text()
        for line in ("Progress completed: Downloading (50)", "Progress completed: Reading (4)"):
            self.assertEqual(text.split("\n").count(line), 1)
        lines = self.lines("progress", DLOG_NO_PROGRESS="true")
        self.assertEqual([m for m in messages(lines) if m.startswith(BARS["progress"])], [])
        self.assertIn("reading d.txt", messages(lines))

    def test_parent_and_child(self):
        lines = self.lines("parent_child")
        self.assertRegex(lines[0].message, r"127\.0\.0\.1:\d+$")
        self.assertEqual((lines[0].name, lines[-1].name), ("parent_child", "parent_child"))
        for i in (1, 2, 3):
            (pid,) = {line.pid for line in lines if line.message == f"child {i} says hello"}
            own = [line.message for line in lines if line.name == "parent_child" and line.pid == pid]
            self.assertEqual([m for m in own if not m.startswith("Child")],
                             [f"child {i} says hello", f"child {i} is half way", f"child {i} is done"])
            self.assertEqual(len([m for m in own if m.startswith(f"Child {i}: finished")]), 1)

    def test_many_children(self):
        lines = self.lines("many_children")
        self.assertEqual(len({line.pid for line in lines if line.name in ("download", "compile", "verify")}), 6)
        self.assertEqual(len([m for m in messages(lines) if ": finished" in m]), 7)
        self.assertEqual(messages(lines, "many_children")[-1], "the release is ready")
        for text in ("images: the mirror is slow", "engine is compiled", "the signature is intact"):
            self.assertEqual(messages(lines).count(text), 1)

    def test_a_worker_alone_is_its_own_console(self):
        program = run(self, "many_children_verify", "signature", "10")
        self.assertIn("the signature is intact", messages(plain_lines(self, program.err.text()), "verify"))

    def test_all_as_json(self):
        for name in EXAMPLES:
            program = started(self, name, env=clean_environment(DLOG_FORMAT="json"))
            events = [json.loads(line) for line in program.err.bytes().decode("utf-8").split("\n")[:-1]]
            ends = [e["description"] for e in events if e.get("event") == "progress" and e["state"] != "running"]
            self.assertEqual(sorted(ends), sorted(BARS[name]))
            self.assertTrue([e for e in events if "msg" in e])


class OnATerminal(unittest.TestCase):
    def test_records_are_whole_and_every_bar_stands_once(self):
        for name in EXAMPLES:
            # High enough for every line: what left the screen would be compared as well, but is harder to read in a failure.
            terminal = Terminal(columns=120, rows=60)
            program = started(self, name, terminal=terminal)
            screen = terminal.replay(program.err.bytes())
            self.assertNotIn("", screen.text())
            bars = []
            for row in screen.text():
                if TERMINAL.fullmatch(row) is None:
                    found = [bar for bar in BARS[name] if re.search(ENDED.format(re.escape(bar)), row)]
                    self.assertEqual(len(found), 1, row)
                    bars += found
            self.assertEqual(sorted(bars), sorted(BARS[name]))
            for row in screen.text():
                if "Uploading " in row:
                    self.assertRegex(row, r"failed after 0\.\d s: connection lost$")

    def test_a_small_terminal(self):
        for name in ("progress", "many_children"):
            terminal = Terminal(columns=70, rows=8)
            program = started(self, name, terminal=terminal)
            text = "\n".join(terminal.replay(program.err.bytes()).text())
            for bar in BARS[name]:
                self.assertEqual(len(re.findall(ENDED.format(re.escape(bar)), text)), 1, (bar, text))


if __name__ == "__main__":
    main()
