"""Families of real processes: children that are spawned, grandchildren, environments built by hand, and fork without exec."""
import os
import re
import tempfile
import unittest

from support import Console, Program, binary, check_numbered, clean_environment, main, messages, plain_lines, run, sanitizer, scaled, with_sanitizer_options

# A child that knows no dlog, only sockets: what a program in any language can do.
PYTHON_CHILD = """
import os, socket, struct
host, port = os.environ["DLOG_PIPE"].split(":")
def text(s): return struct.pack(">I", len(s)) + s
payload = bytes([0, 3]) + text("greetings from Python \\u2603".encode()) + text(b"2026-11-21T04:16:40.727Z")
with socket.create_connection((host, int(port))) as s:
    s.sendall(struct.pack(">I", len(payload)) + payload)
    s.shutdown(socket.SHUT_WR)
    s.recv(1)  # until the parent has closed, too: it may ask whose process this is
"""


class Spawned(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def family(self, *command, **variables):
        """A parent with its children; returns the parent's program. The children's own stdout and stderr go to files."""
        return run(self, "t_spawn", *command, env=clean_environment(T_OUT=self.folder, **variables))

    def own_output(self):
        """What the children printed themselves."""
        result = {}
        for name in sorted(os.listdir(self.folder)):
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                result[name] = file.read()
        return result

    def test_a_child_by_the_environment(self):
        program = self.family("environ", "3", "0", "0", binary("t_once"), "child%", "20")
        rest = check_numbered(self, program.err.text(), {f"child{i}/0": 20 for i in range(3)})
        self.assertEqual([line.split("]: ")[1] for line in rest], ["before the children", "after the children"])
        self.assertEqual(set(self.own_output().values()), {""})

    def test_a_child_with_an_environment_built_by_hand(self):
        program = self.family("built", "2", "0", "0", binary("t_once"), "child%", "20", DLOG_SET_ENVIRONMENT="false")
        check_numbered(self, program.err.text(), {f"child{i}/0": 20 for i in range(2)})
        self.assertEqual(set(self.own_output().values()), {""})

    def test_grandchildren_reach_the_same_parent(self):
        program = self.family("environ", "2", "1", "30", binary("t_spawn"), "environ", "2", "0", "0", binary("t_spawn"), "environ", "1", "0", "0",
                              binary("t_once"), "leaf", "7")
        text = program.err.text()
        lines = plain_lines(self, text)
        self.assertEqual(messages(lines).count("before the children"), 1 + 2 + 4)
        self.assertEqual(messages(lines).count("after the children"), 1 + 2 + 4)
        leaves = {line.pid for line in lines if "rec leaf/0" in line.message}
        self.assertEqual(len(leaves), 4, "four leaves, each with a connection of its own")
        for pid in leaves:
            check_numbered(self, "\n".join(line for line in text.split("\n") if f"t_once[{pid}]" in line), {"leaf/0": 7})
        self.assertEqual({line.name for line in lines}, {"t_spawn", "t_once"})
        self.assertEqual(len({line.pid for line in lines if line.name == "t_spawn"}), 1 + 2 + 4)
        self.assertEqual(set(self.own_output().values()), {""})

    def test_a_child_in_another_language(self):
        program = self.family("environ", "1", "0", "0", "/usr/bin/python3", "-c", PYTHON_CHILD)
        self.assertRegex(program.err.text(), r"2026-11-21 04:16:40\.727 WRN child\[\d+\]: greetings from Python \u2603\n")
        self.assertEqual(set(self.own_output().values()), {""})

    def test_no_descriptor_is_inherited(self):
        self.family("environ", "2", "1", "100", binary("t_do"), "fds", "info and now it logs", DLOG_FILE=os.path.join(self.folder, "log"))
        for name in ("0.out", "1.out"):
            said = self.own_output()[name].split("\n")
            self.assertIn("fds end", said)
            numbers = sorted(int(line.split()[1]) for line in said if re.match(r"fd \d", line))
            self.assertEqual(numbers, [0, 1, 2], said)

    def test_a_child_passes_no_descriptor_on_either(self):
        self.family("environ", "1", "0", "0", binary("t_spawn"), "environ", "1", "0", "0", "/bin/sh", "-c", "ls -l /proc/$$/fd >&2")
        said = self.own_output()
        self.assertNotIn("socket:", str(said))
        self.assertNotIn("anon_inode", str(said))

    def test_a_parent_that_ends_before_its_child(self):
        console = Console(self)
        child = Program(self, "t_do", "info early", "flush", "wait", "info late", "many 500 late", "flush", "say done",
                        env=clean_environment(DLOG_PIPE=console.address))
        child.out.wait("^waiting$")
        console.err.wait("early")
        console.close()
        child.go()
        child.out.wait("^done$")
        self.assertEqual(child.wait(), 0)


# Ways to fork: with handlers, and two that run none.
WAYS = ([], ["_Fork"], ["clone"])


class Forked(unittest.TestCase):
    def forked(self, children, records, *more, **variables):
        # The leak checker cannot judge a forked child: it takes what the parent's threads held for lost, and meets its own locks.
        # The thread sanitizer gives up on a forked child that starts a thread, if it is let.
        if sanitizer():
            variables["DLOG_TEST_SANITIZE"] = sanitizer()
        env = with_sanitizer_options(clean_environment(**variables), detect_leaks=0, die_after_fork=0)
        program = run(self, "t_fork", str(children), str(records), *more, env=env)
        if program.out.text() == "no _Fork\n":
            self.skipTest("this C library has no _Fork")
        busy = int(re.search(r"^busy (\d+)$", program.out.text(), re.M)[1])
        expected = {f"fork{i}/0": records for i in range(children)} | {"parent/0": 2 * records}
        return program, expected | ({"busy/0": busy} if "busy" in more else {})

    def each_way(self, check):
        """The sanitizers know fork() alone."""
        for way in WAYS[:1] if sanitizer() else WAYS:
            with self.subTest(way=way):
                check(way)

    def test_both_sides_reach_the_one_console(self):
        def check(way):
            program, expected = self.forked(1, 200, *way)
            rest = check_numbered(self, program.err.text(), expected)
            self.assertEqual([line.split("]: ")[1] for line in rest], ["after the children"])
            speakers = {(line.name, line.pid == program.pid) for line in plain_lines(self, program.err.text()) if "rec fork0" in line.message}
            self.assertEqual(speakers, {("t_fork", False)}, "the fork says its own number")

        self.each_way(check)

    @unittest.skipIf(sanitizer(), "a sanitizer's own locks do not survive a fork of a busy process")
    def test_where_no_page_can_be_wiped(self):
        program, expected = self.forked(4, 100, "busy", LD_PRELOAD=binary("t_no_wiping.so"))
        check_numbered(self, program.err.text(), expected)

    @unittest.skipIf(sanitizer(), "a sanitizer's own locks do not survive a fork of a busy process")
    def test_several_forks_of_a_busy_parent(self):
        def check(way):
            for _ in range(scaled(5)):
                program, expected = self.forked(4, 100, "busy", *way)
                check_numbered(self, program.err.text(), expected)

        self.each_way(check)

    @unittest.skipIf(sanitizer(), "a sanitizer's own locks do not survive a fork of a busy process")
    def test_forks_while_another_thread_starts_dlog(self):
        for _ in range(scaled(20)):
            program = run(self, "t_fork_at_start", "10")
            check_numbered(self, program.err.text(), {f"fork{i}/0": 1 for i in range(10)} | {"first/0": 1})

    def test_a_fork_that_logs_from_a_thread_of_its_own_first(self):
        def check(way):
            program, expected = self.forked(2, 100, "thread", *way)
            check_numbered(self, program.err.text(), expected)

        self.each_way(check)

    def test_a_fork_has_no_say_in_its_parents_bars(self):
        def check(way):
            program, expected = self.forked(4, 20, "busy", "bar", *way)
            rest = "\n".join(check_numbered(self, program.err.text(), expected))
            self.assertNotRegex(rest, "failed|not this one's")
            self.assertRegex(rest, "the parent's.* abandoned")

        self.each_way(check)

    def test_forks_of_a_child(self):
        def check(way):
            console = Console(self)
            program, expected = self.forked(2, 100, *way, DLOG_PIPE=console.address)
            self.assertEqual(program.err.bytes(), b"")
            check_numbered(self, console.close(), expected)

        self.each_way(check)

    def test_into_a_file_as_well(self):
        def check(way):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "log")
                program, expected = self.forked(2, 100, *way, DLOG_FILE=path)
                check_numbered(self, program.err.text(), expected)
                with open(path, encoding="utf-8") as file:
                    check_numbered(self, file.read(), expected)

        self.each_way(check)

    def test_a_fork_that_says_nothing(self):
        def check(way):
            program, _ = self.forked(3, 100, "silent", *way)
            check_numbered(self, program.err.text(), {"parent/0": 200})

        self.each_way(check)


if __name__ == "__main__":
    main()
