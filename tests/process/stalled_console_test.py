"""A console that takes nothing for a while: nobody is held longer than the overflow policy says, and nothing else is lost."""
# ctest: serial timeout=300
import os
import re
import signal
import termios
import threading
import time
import unittest

from kernel import context_switches, status, threads
from support import FULL, NUMBERED, PLAIN, TERMINAL, Collector, Given, Program, check_numbered, clean_environment, main, sanitizer, scaled
from terminal import Terminal

STALL_S = 60 if FULL else 3
CHILDREN = 4
BLOCK_LIMIT_MS = 100
QUEUE = {"DLOG_QUEUE_BYTES": "131072", "DLOG_BLOCK_LIMIT_MS": str(BLOCK_LIMIT_MS)}
FINISHED = re.compile(r" finished in \S+( s)?$")
SEQUENCE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
DROPPED = re.compile(r"(\d+) records dropped: the queue was full")


class StoppingCollector(Collector):
    """A reader that can be stopped, and let go on."""

    def __init__(self, fd):
        self.reads = threading.Event()
        self.reads.set()
        super().__init__(fd)

    def _await_turn(self):
        self.reads.wait()


class SteadyCollector(Collector):
    """A reader that takes some 10 MB a second."""

    def _await_turn(self):
        time.sleep(0.005)


class Slow(unittest.TestCase):
    def test_a_child_that_logs_faster_than_its_parents_console_reads(self):
        """What is sent leaves its memory, though it never has all sent."""
        count = scaled(400_000)
        read, write = os.pipe()
        console = Program(self, "t_do", "address", "wait", env=clean_environment(), terminal=Given(read, write), collector=SteadyCollector)
        address = console.answer("address")
        console.out.wait("^waiting$")
        child = Program(self, "t_do", f"many {count} fast", "say all is logged", "wait",
                        env=clean_environment(DLOG_PIPE=address, DLOG_PIPE_ID="", DLOG_QUEUE_BYTES="1048576",
                                              DLOG_BLOCK_LIMIT_MS="60000"))
        child.out.wait("^all is logged$", deadline=90)
        most_kib = status(child.pid, "VmHWM")
        self.assertEqual(child.wait(90), 0, child.err.text()[-2000:])
        self.assertEqual(console.wait(90), 0)
        print(f"    memory of the child at most {most_kib} KiB")
        self.assertLess(most_kib, 16384 * (8 if sanitizer() else 1))
        check_numbered(self, console.err.text(), {"fast/0": count})


class Stalled(unittest.TestCase):
    def parent(self, *script, terminal=None):
        """A parent whose stderr is read by a reader that can be stopped."""
        read, write = terminal.open() if terminal else os.pipe()
        self.theirs = os.dup(write)
        console = Program(self, "t_do", *script, "address", "wait", env=clean_environment(**QUEUE), terminal=Given(read, write),
                          collector=StoppingCollector)
        self.address = console.answer("address")
        console.out.wait("^waiting$")
        return console

    def flood(self, console, stop, go_on):
        """Children that flood while the console is stopped; checks what is the same for every console."""
        children = [Program(self, "t_flood", f"child{i}", str(STALL_S * 1000 + 500), env=clean_environment(DLOG_PIPE=self.address, **QUEUE))
                    for i in range(CHILDREN)]
        console.err.wait("rec child", CHILDREN)
        before_kib = status(console.pid, "VmRSS")
        stop()
        stopped = time.monotonic()
        most_kib = before_kib
        while time.monotonic() - stopped < STALL_S:
            most_kib = max(most_kib, status(console.pid, "VmRSS"))
            time.sleep(0.05)
        stalled_ms = (time.monotonic() - stopped) * 1000
        go_on()
        said = {}
        for i, child in enumerate(children):
            self.assertEqual(child.wait(), 0, child.err.text()[-2000:])
            said[f"child{i}"] = {key: int(child.answer(key)) for key in ("logged", "dropped", "longest")}
        code = self.end(console)
        self.assertEqual(code, 0)
        longest = max(s["longest"] for s in said.values())
        print(f"    longest call {longest} ms, limit {BLOCK_LIMIT_MS}, stopped for {stalled_ms:.0f}; memory {before_kib} KiB, at most {most_kib}; "
              f"logged {sum(s['logged'] for s in said.values())}, dropped {sum(s['dropped'] for s in said.values())}")
        # The machine may be late; a call that was held by the console would have been held to its end.
        self.assertLess(longest, stalled_ms / 2)
        self.assertLess(most_kib - before_kib, 16384 * (8 if sanitizer() else 1))
        return said

    def end(self, console):
        try:
            console.process.stdin.close()
        except OSError:
            pass
        code = console.process.wait(60)
        os.close(self.theirs)  # else the reader would not see the end
        console.out.finish()
        console.err.finish()
        return code

    def check_records(self, rows, said, form):
        """In order, none twice or torn; those that are missing were dropped, and that was told."""
        seen = {name: [] for name in said}
        told = 0
        for row in rows:
            head = form.fullmatch(row)
            if head is None:
                self.assertNotIn("rec ", row)
                continue
            if match := NUMBERED.fullmatch(head["message"]):
                self.assertEqual(len(match[3]), int(match[2]) % 97, row)
                seen[match[1].split("/")[0]].append(int(match[2]))
            elif drops := DROPPED.search(head["message"]):
                told += int(drops[1])
        for name, numbers in seen.items():
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertEqual(len(numbers) + said[name]["dropped"], said[name]["logged"], name)
        self.assertEqual(told, sum(s["dropped"] for s in said.values()))
        self.assertGreater(told, 0, "the console was not stopped for long enough to show anything")

    def test_a_pipe_that_nobody_reads(self):
        console = self.parent("info up")
        said = self.flood(console, console.err.reads.clear, console.err.reads.set)
        self.check_records(console.err.text().splitlines(), said, PLAIN)

    def test_a_terminal_that_nobody_reads(self):
        terminal = Terminal(200, 30)
        console = self.parent("bar a 10 Reading", "push a 5", "info up", terminal=terminal)
        said = self.flood(console, console.err.reads.clear, console.err.reads.set)
        self.check_screen(terminal, console, said)

    def test_a_terminal_that_was_stopped(self):
        terminal = Terminal(200, 30)
        console = self.parent("bar a 10 Reading", "push a 5", "info up", terminal=terminal)
        said = self.flood(console, lambda: termios.tcflow(self.theirs, termios.TCOOFF), lambda: termios.tcflow(self.theirs, termios.TCOON))
        self.check_screen(terminal, console, said)

    def check_screen(self, terminal, console, said):
        # The emulator would take minutes for all of it: it is shown the end, the rest is looked for between the sequences.
        data = console.err.bytes()
        lines = SEQUENCE.sub("", data.decode()).replace("\r", "\n").split("\n")
        self.check_records(lines, said, TERMINAL)
        for name, s in said.items():
            ended = [line for line in lines if name in line and FINISHED.search(line)]
            self.assertEqual(len(ended), 1, ended)
            self.assertRegex(ended[0], rf" {s['logged']} \S* ?finished in ")
        screen = terminal.replay(data[data.rindex(b"\n", 0, -(1 << 14)) + 1:])
        self.assertEqual(screen.cursor.x, 0)
        bars = [row for row in screen.text() if not TERMINAL.fullmatch(row) and not FINISHED.search(row)]
        self.assertEqual(len(bars), 1, bars)
        self.assertIn("Reading", bars[0])


class AtRest(unittest.TestCase):
    """A stopped console, and somebody who asks."""

    def test_a_flush_ends_at_its_deadline_and_the_rest_is_written_later(self):
        terminal = Terminal()
        read, write = terminal.open()
        theirs = os.dup(write)
        self.addCleanup(os.close, theirs)
        program = Program(self, "t_do", "info one", "flush", "wait", "info two", "flush 300", "wait", "flush", terminal=Given(read, write))
        program.out.wait("^waiting$")
        termios.tcflow(theirs, termios.TCOOFF)
        program.go()
        program.out.wait("^flush false")
        self.assertNotIn("two", program.err.text())
        tasks = [task for task, name in threads(program.pid).items() if name.startswith("dlog")]
        before = context_switches(program.pid, tasks)
        time.sleep(1)
        self.assertLess(context_switches(program.pid, tasks) - before, 200, "it spins")
        termios.tcflow(theirs, termios.TCOON)
        program.err.wait("two")
        program.go()
        program.out.wait("^flush true")

    def test_a_process_ends_though_its_console_takes_nothing(self):
        read, write = os.pipe()
        program = Program(self, "t_do", "info one", "many 20000 own", terminal=Given(read, write), collector=StoppingCollector,
                          env=clean_environment(DLOG_OVERFLOW="drop"))
        program.err.reads.clear()
        self.assertEqual(program.process.wait(60), 0)
        program.err.reads.set()

    def test_a_parent_ends_though_its_children_talk_on_and_its_console_is_slow(self):
        read, write = os.pipe()
        console = Program(self, "t_do", "address", "wait", terminal=Given(read, write), collector=SlowCollector)
        env = clean_environment(DLOG_PIPE=console.answer("address"))
        console.out.wait("^waiting$")
        children = [Program(self, "t_flood", f"child{i}", "600000", env=env) for i in range(2)]
        console.err.wait("rec child0/0 1000 ")
        # They have megabytes for it, which would take half a minute.
        self.assertEqual(console.wait(15), 0)
        for child in children:
            self.assertTrue(child.alive())

    def test_a_signal_with_a_slow_reader_loses_nothing(self):
        read, write = os.pipe()
        program = Program(self, "t_do", "many 2000 own", f"raise {int(signal.SIGTERM)}", terminal=Given(read, write), collector=SlowCollector,
                          env=clean_environment(DLOG_HANDLE_SIGNALS="true"))
        self.assertEqual(program.process.wait(60), -signal.SIGTERM)
        program.err.finish()
        self.assertEqual(len(NUMBERED.findall(program.err.text())), 2000)


class SlowCollector(Collector):
    """Reads a little now and then: some seconds for a megabyte."""

    def _read(self):
        while True:
            piece = os.read(self.fd, 1 << 13)
            if not piece:
                break
            with self._lock:
                self._data += piece
            time.sleep(0.03)
        os.close(self.fd)


if __name__ == "__main__":
    main()
