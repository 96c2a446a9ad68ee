"""How a program with live bars ends, stops and goes on: the screen is left tidy, and the signal does what it always did."""
import os
import re
import select
import signal
import sys
import time
import unittest

import pyte

from kernel import context_switches, threads
from support import TERMINAL, Collector, Program, clean_environment, main, runs, sanitizer, until
from terminal import Terminal

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
TAKEN = (*ENDINGS, signal.SIGTSTP)
BARS = ("info before", "bar a 10 Reading", "bar b 5 Writing", "push a 5", "wait")


def caught(pid):
    """The signals that a process has handlers for."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        mask = int(re.search(r"^SigCgt:\s+(\S+)", file.read(), re.M)[1], 16)
    return {number for number in signal.Signals if mask >> (number - 1) & 1}


def rows_with(rows, text):
    return [row for row in rows if text in row]


class OnTerminal(unittest.TestCase):
    def setUp(self):
        self.terminal = Terminal(80, 12)

    def start(self, *script, **options):
        # In a group of its own within this session: only so can it be stopped.
        self.program = Program(self, "t_do", *script, terminal=self.terminal, own_session=False, preexec_fn=os.setpgrp, **options)
        return self.program

    def screen(self):
        return self.terminal.replay(self.program.err.bytes())

    def see(self, condition, what):
        until(lambda: condition(self.screen().text()), lambda: f"{what} in {self.screen().text()}")

    def see_bars(self):
        self.see(lambda rows: rows and "Writing" in rows[-1] and "Reading" in rows[-2], "the bars")

    def check_tidy(self, screen):
        """As a program leaves it that only prints."""
        self.assertEqual((screen.cursor.x, screen.cursor.y), (0, len(screen.text())), screen.text())
        self.check_settled(screen)

    def check_settled(self, screen):
        self.assertIn(pyte.modes.DECAWM, screen.mode)
        self.assertFalse(screen.cursor.hidden)


class Ends(OnTerminal):
    def test_the_bars_stand_once_in_their_last_state_and_the_signal_ends_it(self):
        for handled in ("false", "true"):
            for number in ENDINGS:
                self.start(*BARS, env=clean_environment(DLOG_HANDLE_SIGNALS=handled))
                self.see_bars()
                until(lambda: caught(self.program.pid) >= set(ENDINGS), "the handlers")
                os.kill(self.program.pid, number)
                self.assertEqual(self.program.wait(), -number)
                screen = self.screen()
                rows = screen.text()
                self.assertEqual(len(rows), 3, rows)
                self.assertTrue(rows[0].endswith("before"))
                self.assertRegex(rows[1], r"^Reading .* 50% 5/10 .*abandoned after ")
                self.assertRegex(rows[2], r"^Writing .* 0% 0/5 .*abandoned after ")
                self.check_tidy(screen)

    def test_signals_are_taken_only_while_bars_are_live(self):
        self.start("info before", "wait", "bar a 10 Reading", "bar b 5 Writing", "wait", "done a", "done b", "wait")
        self.program.err.wait("before")
        self.assertEqual(caught(self.program.pid) & set(TAKEN), set())
        self.program.go()
        self.see_bars()
        until(lambda: caught(self.program.pid) >= set(TAKEN), "the handlers")
        self.program.go()
        until(lambda: not caught(self.program.pid) & set(TAKEN), "the handlers are gone")
        self.assertEqual(self.program.wait(), 0)

    def test_where_no_bar_is_drawn_nothing_is_taken(self):
        for options in ({"DLOG_PROGRESS": "none"}, {"DLOG_FORMAT": "plain"}):
            self.start("bar a 10 Reading", "info first", "sleep 400", "wait", env=clean_environment(**options))
            self.program.out.wait("^waiting$")
            self.assertEqual(caught(self.program.pid) & set(TAKEN), set())
            os.kill(self.program.pid, signal.SIGINT)
            self.assertEqual(self.program.wait(), -signal.SIGINT)

    def test_what_was_ignored_stays_ignored(self):
        self.start(*BARS, restore_signals=False, ignored=signal.SIGINT)
        self.see_bars()
        until(lambda: signal.SIGTERM in caught(self.program.pid), "the handlers")
        os.kill(self.program.pid, signal.SIGINT)
        self.assertNotIn(signal.SIGINT, caught(self.program.pid))
        self.assertEqual(self.program.wait(), 0)

    def start(self, *script, ignored=None, **options):
        if ignored is None:
            return super().start(*script, **options)
        before = signal.signal(ignored, signal.SIG_IGN)
        try:
            return super().start(*script, **options)
        finally:
            signal.signal(ignored, before)

    def test_a_kill_leaves_a_terminal_that_wraps(self):
        for i in range(runs(10)):
            self.start("bar a 10 Reading", "bar b 5 Writing", "push a 5", "wait", "many 1000000 own", "wait")
            self.see_bars()
            self.program.go()
            self.program.err.wait("rec own/0 " + "1" * (i % 4 + 1))
            self.program.process.kill()
            self.assertEqual(self.program.wait(), -signal.SIGKILL)
            # What the kernel took is whole frames, but where it was full; the emulator is shown what stood before such a one.
            data = self.program.err.bytes()
            screen = self.terminal.replay(data[-(1 << 14):data.rindex(b"\x1b[?2026l") + 8])
            self.check_settled(screen)

    def test_a_terminal_that_goes_away(self):
        self.start(*BARS, "many 100 own", "flush", "stats", "wait", collector=Leaving, env=clean_environment(DLOG_BLOCK_LIMIT_MS="60000"))
        self.see_bars()
        self.program.err.leave()
        self.program.go()
        self.program.out.wait(r"^flush false lost=\d+")
        counts = dict(word.split("=") for word in self.program.answer("stats").split())
        self.assertGreaterEqual(int(counts["undeliverable"]), 100)
        tasks = [task for task, name in threads(self.program.pid).items() if name.startswith("dlog")]
        time.sleep(0.5)
        before = context_switches(self.program.pid, tasks)
        time.sleep(1)
        self.assertLess(context_switches(self.program.pid, tasks) - before, 300, "it spins")
        self.assertEqual(self.program.wait(), 0)


class Stops(OnTerminal):
    def stop(self, number=signal.SIGTSTP):
        os.kill(self.program.pid, number)
        status = None

        def has_stopped():
            nonlocal status
            pid, status = os.waitpid(self.program.pid, os.WUNTRACED | os.WNOHANG)
            return pid == self.program.pid

        until(has_stopped, "the stop")
        self.assertTrue(os.WIFSTOPPED(status), status)

    @unittest.skipIf(sanitizer() == "thread", "the thread sanitizer keeps signals back, and with them the stop")
    def test_the_bars_leave_before_it_stops_and_come_back_after_it(self):
        self.start(*BARS, "push a 10", "done a", "done b", "info after")
        for _ in range(3):
            self.see_bars()
            until(lambda: caught(self.program.pid) >= set(TAKEN), "the handlers")
            self.stop()
            until(lambda: len(self.screen().text()) == 1, lambda: f"no bars in {self.screen().text()}")
            self.check_tidy(self.screen())
            os.kill(self.program.pid, signal.SIGCONT)
        self.see_bars()
        self.assertEqual(self.program.wait(), 0)
        rows = self.screen().text()
        self.assertEqual(len(rows), 4, rows)
        self.assertIn("10/10", rows_with(rows, "Reading")[0])
        self.check_tidy(self.screen())

    @unittest.skipIf(sanitizer() == "thread", "the thread sanitizer keeps signals back, and with them the stop")
    def test_it_can_be_ended_while_it_is_stopped(self):
        self.start(*BARS)
        self.see_bars()
        until(lambda: caught(self.program.pid) >= set(TAKEN), "the handlers")
        self.stop()
        os.kill(self.program.pid, signal.SIGTERM)
        os.kill(self.program.pid, signal.SIGCONT)
        self.assertEqual(self.program.wait(), -signal.SIGTERM)
        self.check_settled(self.screen())

    def test_a_stop_that_nobody_can_take(self):
        self.start(*BARS, "push a 7", "info more", "wait", "done a", "done b", "info after")
        self.see_bars()
        theirs = os.open(os.readlink(f"/proc/{self.program.pid}/fd/2"), os.O_WRONLY | os.O_NOCTTY)
        self.stop(signal.SIGSTOP)
        os.write(theirs, b"\n[1]+  Stopped\n$ \x1b[2J\x1b[Hfg\n")  # as a shell, and somebody who clears the screen
        os.close(theirs)
        os.kill(self.program.pid, signal.SIGCONT)
        self.program.go()
        self.see(lambda rows: rows and "Writing" in rows[-1] and "7/10" in rows[-2], "the bars, as they are now")
        self.program.go()
        self.assertEqual(self.program.wait(), 0)
        rows = self.screen().text()
        self.assertTrue(rows[-1].endswith("]: after"), rows)
        self.assertEqual((len(rows_with(rows, "Reading")), len(rows_with(rows, "Writing")), len(rows_with(rows, "more"))), (1, 1, 1), rows)
        self.check_tidy(self.screen())


class Background(unittest.TestCase):
    # The first of a session, whose terminal is its stderr, and what a shell does with the group of the program that it starts.
    SHELL = """
import fcntl, os, signal, subprocess, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=os.setpgrp)
for line in sys.stdin:
    os.tcsetpgrp(2, program.pid if line == "front\\n" else os.getpgrp())
program.kill()
program.wait()
"""

    def test_bars_are_drawn_in_the_foreground_only(self):
        terminal = Terminal(80, 12)
        program = os.path.abspath(os.path.join(os.environ.get("DLOG_BIN", "build/dev/bin"), "t_do"))
        shell = Program(self, sys.executable, "-c", self.SHELL, program, "bar a 10 Reading", "push a 5", "info one", "sleep 500", "info two", "flush",
                        "info three", "sleep 120000", terminal=terminal)

        def rows():
            return terminal.replay(shell.err.bytes()).text()

        def bring(where):
            shell.process.stdin.write(f"{where}\n".encode())
            shell.process.stdin.flush()

        shell.out.wait("^flush true")
        shell.err.wait("three")
        self.assertNotIn("Reading", shell.err.text())
        self.assertEqual(len([row for row in rows() if TERMINAL.fullmatch(row)]), 3, rows())
        bring("front")
        until(lambda: rows_with(rows(), "Reading"), lambda: f"the bar in {rows()}")
        bring("back")
        until(lambda: not rows_with(rows(), "Reading"), lambda: f"no bar in {rows()}")
        bring("front")
        until(lambda: rows_with(rows(), "Reading"), lambda: f"the bar in {rows()}")
        shell.wait()


class Leaving(Collector):
    """A terminal that can be closed while a program has it."""

    def _read(self):
        self.left = False
        while not self.left:
            if select.select([self.fd], [], [], 0.02)[0]:
                try:
                    piece = os.read(self.fd, 1 << 16)
                except OSError:
                    break
                with self._lock:
                    self._data += piece
        os.close(self.fd)

    def leave(self):
        self.left = True
        self.thread.join()


if __name__ == "__main__":
    main()
