"""A parent dies, ends or stops under children at work: none of them dies or is held, and what is missing is told.

What a child sends is known to be shown only once its parent has answered a flush. Until then it keeps the latest 256 KiB of it, and
where the parent is gone it shows that at its own stderr, between two notices, for the parent may have shown it. So nothing that came
after the last answered flush can be missing, as long as it was no more than that; of more the count of what it no longer has is told.

DLOG_TEST_FULL=1 kills more parents and looks at how long calls took; the usual run judges no time.
"""
# ctest: serial timeout=600
import fcntl
import os
import re
import signal
import socket
import tempfile
import termios
import time
import unittest

from extension import OurConsole
from stranger import NOBODY, as_user, needs_root
from support import FULL, NUMBERED, Given, Program, Unread, binary, clean_environment, main, plain_lines, run, scaled, until
from terminal import Terminal

CHILDREN = 8
CALL_MS_MAX = 100
# A machine with other work may be so late.
LATE_MS = 150
GONE = re.compile(r"the parent at 127\.0\.0\.1:\d+ is gone \(.*?\); logging here"
                  r"(?:; (?P<again>\d+) records that it (?P<how>may have|has not) shown follow)?"
                  r"(?:; (?P<forgotten>\d+) before them it (?:may have shown as well|has not shown either, and nobody kept them))?")
END_OF_REPLAY = "end of what the parent may have shown"
DROPPED = re.compile(r"(\d+) records dropped: the queue was full")
LOST_AT_EXIT = re.compile(r"dlog\[\d+\]: the parent at 127\.0\.0\.1:\d+ takes nothing; (\d+) records lost at exit\n")


class Busy(Program):
    """A child at work."""

    def __init__(self, case, name, burst=10, pause_us=1000, flush_every=0, **options):
        super().__init__(case, "t_busy", name, str(burst), str(pause_us), str(flush_every), **options)
        self.name = name

    def end(self, case):
        """Lets it come to its end; what it said of itself."""
        case.assertEqual(self.wait(), 0, self.err.text()[-2000:])
        self.said = {key: int(value) for key, value in re.findall(r"^(\w+) (\d+)$", self.out.text(), re.M)}
        case.assertEqual(self.said["complete"], 1)
        case.assertEqual(self.said["enqueued"], self.said["logged"])
        case.assertEqual(self.said["enqueued"], self.said["shown"] + self.said["dropped"] + self.said["undeliverable"], self.said)
        return self.said


def number_of(name, message):
    """The number of a record of this child; None: it is another one, or none."""
    match = NUMBERED.fullmatch(message)
    if match is None or match[1] != f"{name}/0":
        return None
    assert len(match[3]) == int(match[2]) % 97, f"torn: {message!r}"
    return int(match[2])


def whole_lines(case, data):
    """What a process that was killed has shown: its last write may be cut."""
    return plain_lines(case, data[:data.rindex("\n") + 1] if "\n" in data else "")


def numbers(case, name, lines):
    """The child's numbers among these lines, which must be in order, none twice."""
    found = [n for n in (number_of(name, line.message) for line in lines) if n is not None]
    case.assertEqual(found, sorted(set(found)), name)
    return found


class Orphans(unittest.TestCase):
    def judge(self, child, parents_lines, twice=True):
        """One child's records: on the parent's console, between the two notices, behind them. Returns how many stand nowhere."""
        said = child.end(self)
        self.assertEqual(said["dropped"], 0)
        lines = plain_lines(self, child.err.text())
        gone = [(i, GONE.fullmatch(line.message)) for i, line in enumerate(lines) if line.name == "dlog" and "is gone" in line.message]
        self.assertEqual(len(gone), 1, "it says so once")
        at, told = gone[0]
        self.assertEqual(at, 0, "and before all else")
        self.assertIsNotNone(told, lines[0])
        again, forgotten = int(told["again"] or 0), int(told["forgotten"] or 0)
        ends = [i for i, line in enumerate(lines) if line.name == "dlog" and line.message == END_OF_REPLAY]
        unsure = again and told["how"] == "may have"
        self.assertEqual(len(ends), 1 if unsure else 0)
        if unsure:
            self.assertEqual(len(numbers(self, child.name, lines[:ends[0]])), again, "as many as it says stand between the notices")
        own = numbers(self, child.name, lines)
        parents = numbers(self, child.name, parents_lines)
        self.assertEqual(parents, list(range(len(parents))), "of what a parent shows nothing is missing in between")
        self.assertEqual(own, list(range(own[0], said["logged"])), "it goes on to its last record")
        missing = max(0, own[0] - len(parents))
        self.assertLessEqual(missing, forgotten)
        self.assertEqual(said["undeliverable"], forgotten, "what may be missing is counted")
        if not twice:
            self.assertFalse(unsure, "a parent that ends in order has said how far it came")
            self.assertEqual(own[0], len(parents), "each once")
        bar = [line.message for line in lines if re.search(rf"{child.name}\b.*: finished", line.message)]
        self.assertEqual(len(bar), 1, "its bar goes on, and ends here")
        self.assertIn(f"({said['logged']})", bar[0])
        return missing

    def children(self, console, **how):
        children = [Busy(self, f"child{i}", env=console.child_environment(), **how) for i in range(CHILDREN)]
        for child in children:
            child.out.wait("^busy$")
        return children

    def after_death(self, console, children, **how):
        """They go on for a while; then each is judged. Returns how many records stand nowhere, and the longest call in ms."""
        for child in children:
            child.err.wait(r"the parent at .* is gone")
            child.err.wait(rf"\]: rec {child.name}/0 ", 300)
        console.err.finish()
        parents_lines = whole_lines(self, console.err.text())
        missing = sum(self.judge(child, parents_lines, **how) for child in children)
        return missing, max(child.said["longest_us"] for child in children) / 1000

    def killed(self, seen, **how):
        console = OurConsole(self)
        children = self.children(console, **how)
        for child in children:
            console.err.wait(rf"rec {child.name}/0 {seen} ")
        console.process.kill()
        console.process.wait()
        return self.after_death(console, children)

    def test_killed_under_children_that_flush(self):
        """No more than 100 records were unconfirmed at any time: none is missing."""
        longest = 0.0
        rounds = 20 if FULL else 1
        for _ in range(rounds):
            missing, took = self.killed(seen=300, flush_every=100)
            self.assertEqual(missing, 0)
            longest = max(longest, took)
        self.judge_time(f"{rounds * CHILDREN} children that flush, parent killed: none missing", longest)

    def test_killed_under_children_that_do_not(self):
        """More than the ring holds was never confirmed: what may be missing is told, and no less."""
        longest, missing = 0.0, 0
        rounds = 20 if FULL else 1
        for _ in range(rounds):
            lost, took = self.killed(seen=scaled(6000), burst=10)
            missing += lost
            longest = max(longest, took)
        self.judge_time(f"{rounds * CHILDREN} children that do not flush, parent killed: {missing} missing, all told", longest)

    def judge_time(self, what, longest_ms):
        print(f"    {what}; longest call {longest_ms:.1f} ms")
        if FULL:
            self.assertLessEqual(longest_ms, CALL_MS_MAX)

    def test_an_orderly_end_under_living_children(self):
        """The parent says how far it has heard: each record stands once, here or there."""
        for _ in range(10 if FULL else 2):
            console = OurConsole(self)
            children = self.children(console)
            self.assertEqual(console.wait(), 0)
            missing, longest = self.after_death(console, children, twice=False)
            self.assertEqual(missing, 0)
        print(f"    orderly end: longest call {longest:.1f} ms")

    def test_under_a_bar_that_stands_still(self):
        """It says that the parent is gone, and where its bar goes on, though nothing moves."""
        for killed in (True, False):
            with self.subTest(killed=killed):
                console = OurConsole(self)
                child = Program(self, "t_do", "bar a 100 Idle", "push a 40", "flush", "wait", "push a 60", "done a", env=console.child_environment())
                child.out.wait("^waiting$")
                console.err.wait("Idle: started")
                if killed:
                    console.process.kill()
                    console.process.wait()
                else:
                    console.close()
                child.err.wait("Idle.*40/100")
                child.go()
                self.assertEqual(child.wait(), 0)
                lines = plain_lines(self, child.err.text())
                self.assertRegex(lines[0].message, "^the parent at .* is gone")
                self.assertEqual(len([line for line in lines if "is gone" in line.message]), 1)
                self.assertIn("Idle: finished (100/100)", lines[-1].message)

    def test_a_grandparent_that_dies(self):
        """Its child and its grandchildren, who all spoke to it, go on alone; who starts later finds a stale address."""
        with tempfile.TemporaryDirectory() as folder:
            console = OurConsole(self)
            middle = Program(self, "t_spawn", "environ", "2", "0", "0", binary("t_busy"), "leaf%", "10", "1000", "100",
                             env=console.child_environment(T_OUT=folder))
            for i in range(2):
                console.err.wait(rf"rec leaf{i}/0 300 ")
            variables = dict(line.split("=", 1) for line in environment_of(middle.pid) if line.startswith("DLOG_PIPE"))
            self.assertEqual(variables, console.variables)
            console.process.kill()
            console.process.wait()

            def own(name, stream="err"):
                with open(os.path.join(folder, f"{name}.{stream}"), encoding="utf-8") as file:
                    return file.read()

            for i in range(2):
                until(lambda i=i: own(i).count(f"]: rec leaf{i}/0 ") > 300, lambda i=i: f"records of leaf {i} in {own(i)[-500:]}")
            late = run(self, "t_do", "info born later", env=clean_environment(**variables))
            self.assertEqual([(line.level, line.name) for line in plain_lines(self, late.err.text())], [("DBG", "dlog"), ("INF", "t_do")])
            self.assertEqual(middle.wait(), 0)  # their stdin is the middle one's, and ends with it
            console.err.finish()
            shown = whole_lines(self, console.err.text())
            for i in range(2):
                lines = plain_lines(self, own(i))
                self.assertEqual([line.message for line in lines].count(END_OF_REPLAY), 1 if "may have shown follow" in lines[0].message else 0)
                self.assertEqual(len([line for line in lines if "is gone" in line.message]), 1)
                logged = int(re.search(r"^logged (\d+)$", own(i, "out"), re.M)[1])
                before, after = numbers(self, f"leaf{i}", shown), numbers(self, f"leaf{i}", lines)
                self.assertEqual(before, list(range(len(before))))
                self.assertEqual(after, list(range(after[0], logged)))
                self.assertLessEqual(after[0], len(before), "nothing is missing")
            middles = [line.message for line in plain_lines(self, middle.err.text())]
            self.assertEqual(len([m for m in middles if "is gone" in m]), 1, middles)
            self.assertEqual(middles[-1], "after the children")


def environment_of(pid):
    """What a process was started with."""
    with open(f"/proc/{pid}/environ", encoding="utf-8") as file:
        return file.read().split("\0")


class Stopped(unittest.TestCase):
    """The parent takes nothing (SIGSTOP) while its children flood."""

    def flood(self, limit_ms, **policy):
        console = OurConsole(self)
        children = [Busy(self, f"child{i}", burst=60, pause_us=2000, env=console.child_environment(DLOG_QUEUE_BYTES="131072", **policy)) for i in range(4)]
        for child in children:
            child.out.wait("^busy$")
        console.process.send_signal(signal.SIGSTOP)
        for child in children:
            child.out.wait("^dropping$", deadline=120)
        console.process.send_signal(signal.SIGCONT)
        said = {child.name: child.end(self) for child in children}
        pids = {child.pid: child.name for child in children}
        lines = plain_lines(self, console.close())
        told = dict.fromkeys(said, 0)
        for line in lines:
            if match := DROPPED.fullmatch(line.message):
                told[pids[line.pid]] += int(match[1])
        for child in children:
            each = said[child.name]
            self.assertEqual(child.err.bytes(), b"", "it was never its own console")
            self.assertEqual(told[child.name], each["dropped"])
            self.assertGreater(each["dropped"], 0)
            self.assertEqual(each["undeliverable"], 0)
            self.assertEqual(len(numbers(self, child.name, lines)), each["shown"])
        longest = max(each["longest_us"] for each in said.values()) / 1000
        print(f"    stopped parent, {policy}: logged {sum(s['logged'] for s in said.values())}, dropped {sum(told.values())}, all told; "
              f"longest call {longest:.1f} ms")
        if FULL:
            self.assertLessEqual(longest, limit_ms + LATE_MS)

    def test_children_that_wait_for_room(self):
        self.flood(1000, **({} if FULL else {"DLOG_BLOCK_LIMIT_MS": "100"}))

    def test_children_that_drop(self):
        self.flood(0, DLOG_OVERFLOW="drop")


class ExitsWhileStopped(unittest.TestCase):
    """A child ends while its parent takes nothing: it gives up, says so where it can, and is not held where it cannot."""

    RECORDS = 150_000

    def child_of_a_stopped_parent(self, **options):
        console = OurConsole(self)
        console.process.send_signal(signal.SIGSTOP)
        self.addCleanup(lambda: console.alive() and console.process.send_signal(signal.SIGCONT))
        child = Program(self, "t_do", f"many {self.RECORDS} own", "stats", env=console.child_environment(DLOG_OVERFLOW="drop"), **options)
        child.out.wait("^stats ", deadline=120)
        return console, child

    def ends(self, child):
        began = time.monotonic()
        self.assertEqual(child.process.wait(30), 0)
        took = time.monotonic() - began
        print(f"    it ended after {took:.2f} s")
        if FULL:
            self.assertLess(took, 3.0)

    def test_it_says_how_much_is_lost(self):
        console, child = self.child_of_a_stopped_parent()
        self.ends(child)
        child.err.finish()
        lost = LOST_AT_EXIT.fullmatch(child.err.text())
        self.assertIsNotNone(lost, child.err.text())
        dropped = int(re.search(r"dropped=(\d+)", child.out.text())[1])
        self.assertGreater(int(lost[1]), 0)
        console.process.send_signal(signal.SIGCONT)
        shown = numbers(self, "own", plain_lines(self, console.close()))
        self.assertEqual(len(shown) + int(lost[1]) + dropped, self.RECORDS)
        self.assertEqual(shown, list(range(len(shown))))

    def held_up(self, read, write, **options):
        """Its own stderr takes nothing either."""
        self.addCleanup(os.close, read)
        _, child = self.child_of_a_stopped_parent(terminal=Given(read, write), collector=Unread, **options)
        self.ends(child)

    def full_pipe(self):
        read, write = os.pipe()
        fill(write)
        return read, write

    def test_its_stderr_is_a_full_pipe(self):
        self.held_up(*self.full_pipe())

    @needs_root
    def test_its_stderr_is_a_full_pipe_of_another_user(self):
        """One that it may not open once more."""
        self.held_up(*self.full_pipe(), **as_user(NOBODY))

    def test_its_stderr_is_a_full_socket(self):
        ours, theirs = socket.socketpair()
        fill(theirs.fileno())
        self.held_up(ours.detach(), theirs.detach())

    def test_its_stderr_is_a_terminal_that_was_stopped(self):
        read, write = Terminal().open()
        theirs = os.dup(write)
        self.addCleanup(os.close, theirs)
        termios.tcflow(theirs, termios.TCOOFF)
        self.held_up(read, write)


def fill(fd):
    """To the last byte; the descriptor blocks afterwards."""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in (1 << 16, 1 << 10, 1):
        try:
            while os.write(fd, b"x" * size):
                pass
        except BlockingIOError:
            pass
    fcntl.fcntl(fd, fcntl.F_SETFL, flags)


if __name__ == "__main__":
    main()
