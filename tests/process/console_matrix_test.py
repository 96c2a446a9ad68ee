"""The console on terminals: every scenario of t_console on one that breaks its lines anew when it is resized and on one that does
not, resized and not; and where colours, or a terminal, are missing.

All runs go on side by side, the judge looks at one after the other. DLOG_TEST_FULL=1 takes longer runs of more sizes.
"""
# ctest: timeout=300
import concurrent.futures
import os
import re
import subprocess
import tempfile
import unittest

from console_judge import Expected, LiveBars
from support import FULL, binary, clean_environment, main
from terminal import SYNC_BEGIN, SYNC_END, Terminal, control_bytes, without_line_ends
from tmux import Tmux

STEPS = 240 if FULL else 120
SCENARIOS = ("one", "bars_first", "children", "killed", "stray", "many", "wide", "long")
AT_ONCE = 4
RESIZES = {"": (), "_resized": ((60, 20), (44, 12), (100, 30))}
if FULL:
    RESIZES |= {"_narrowed": ((60, 24), (44, 24)), "_lowered": ((80, 20), (80, 12)), "_there_and_back": ((44, 12), (80, 24), (60, 20)),
                "_grown": ((100, 30), (160, 50))}
# One of the sixteen, the 256 or all colours, before or behind.
COLOUR = re.compile(rb"\x1b\[(?:[\d;:]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][\d;:]*)?m")


def command(scenario, sizes=()):
    return [binary("t_console"), scenario, str(STEPS), *(f"{columns}x{rows}" for columns, rows in sizes)]


def with_marks(scenario, sizes, rest=""):
    """[(mark, size)]: a size after each quarter of a run; `many` is at rest when `rest` follows what it says."""
    if scenario == "many":
        return [(f"src=z seq={i} {rest}", size) for i, size in enumerate(sizes)]
    return [(f"src=a seq={STEPS * (i + 1) // 4} ", size) for i, size in enumerate(sizes)]


def on_pyte(scenario, sizes, **variables):
    marks = with_marks(scenario, sizes, ".*" + re.escape(SYNC_END.decode()))
    return Terminal(80, 24).record(command(scenario, sizes), clean_environment(**variables), marks)


def on_tmux(scenario, sizes):
    return Tmux(command(scenario, sizes), clean_environment(), 80, 24, with_marks(scenario, sizes))


# A terminal may tell its program of a size late, and each frame until then may leave a blank line: tmux does so by up to 250 ms, where
# one size follows another within that time, and frames come 16 ms apart; ours where it has lost its core, which is seldom.
BLANKS = {on_pyte: lambda resizes: resizes + 4 if resizes else 0, on_tmux: lambda resizes: resizes * (250 // 16)}


def on_pipe(scenario):
    done = subprocess.run(command(scenario), env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.stdout, done.returncode


def under_strace(scenario):
    """Also what strace says of the writes."""
    with tempfile.NamedTemporaryFile(prefix="dlog-strace-") as file:
        traced = ["strace", "-f", "-qq", "-y", "-s", "100000", "-e", "trace=write,writev", "-e", "signal=none", "-o", file.name]
        events, code = Terminal(80, 24).record([*traced, *command(scenario)], clean_environment())
        return events, code, file.read().decode("utf-8", "replace")


def judge_screen(case, expected, events, live=True):
    """The screen after a run, which is as it should be. `live`: at every rest all bars are there."""
    bars = LiveBars(expected.bars)
    screen = Terminal(80, 24).replay_events(events, bars)
    lines = screen.text_lines()
    judge_lines(case, expected.faults(lines), lines)
    if live:
        case.assertTrue(bars.all_seen, "all bars at once")
        case.assertEqual(bars.faults[:3], [], f"{len(bars.faults)} of {bars.rests}")
    case.assertTrue(screen.cursor_shown(), "the cursor is hidden")
    case.assertTrue(screen.autowrap(), "autowrap is off")


def judge_lines(case, faults, lines):
    case.assertFalse(faults, f"{len(faults)} faults, the first: {faults[:5]}; the last lines: {lines[-12:]}")


def written(events):
    return b"".join(event for event in events if isinstance(event, bytes))


class Runs(unittest.TestCase):
    """Starts what the tests of a class look at, when the first of them begins."""

    started = {}  # name -> (function, arguments...)

    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        cls.runs = {name: cls.pool.submit(*call) for name, call in cls.started.items()}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown(cancel_futures=True)

    def run_of(self, name):
        return self.runs[name].result()


class OnTerminals(Runs):
    started = {f"{scenario}_on_pyte{name}": (on_pyte, scenario, sizes) for scenario in SCENARIOS for name, sizes in RESIZES.items()}
    started |= {f"{scenario}_on_tmux{name}": (on_tmux, scenario, sizes) for scenario in SCENARIOS
                for name, sizes in RESIZES.items()}

    def judge(self, name):
        function, scenario, sizes = self.started[name]
        expected = Expected(scenario, STEPS, rests=len(sizes) if scenario == "many" else 0, blanks=BLANKS[function](len(sizes)))
        if function is on_pyte:
            events, code = self.run_of(name)
            # With more bars than rows, or where rows are cut, not all of them can be seen.
            judge_screen(self, expected, events, live=not sizes and scenario != "many")
        else:
            run = self.run_of(name)
            code = run.code
            judge_lines(self, expected.faults(run.lines), run.lines)
            self.assertTrue(run.cursor_shown, "the cursor is hidden")
            self.assertTrue(run.autowrap, "autowrap is off")
        self.assertEqual(code, 0)


def one_test_each(case):
    for name in case.started:
        setattr(case, f"test_{name}", lambda self, name=name: self.judge(name))


one_test_each(OnTerminals)


class Elsewhere(Runs):
    """A pipe, a terminal that takes no escapes, one where nobody wants colours; and how frames are written."""

    scenarios = SCENARIOS if FULL else ("one", "killed", "wide")
    started = {f"{scenario}_on_pipe": (on_pipe, scenario) for scenario in scenarios}
    started |= {f"{scenario}_dumb": (lambda s: on_pyte(s, (), TERM="dumb"), scenario) for scenario in scenarios}
    started |= {f"{scenario}_no_color": (lambda s: on_pyte(s, (), NO_COLOR="1"), scenario) for scenario in scenarios}
    started |= {"writes": (under_strace, "one")}

    def judge_plain(self, scenario, data):
        self.assertEqual(control_bytes(data), [])
        lines = data.decode().removesuffix("\n").split("\n")
        judge_lines(self, Expected(scenario, STEPS).faults(lines, plain=True), lines)

    def test_on_a_pipe(self):
        for scenario in self.scenarios:
            with self.subTest(scenario):
                data, code = self.run_of(f"{scenario}_on_pipe")
                self.judge_plain(scenario, data)
                self.assertEqual(code, 0)

    def test_on_a_dumb_terminal(self):
        for scenario in self.scenarios:
            with self.subTest(scenario):
                events, code = self.run_of(f"{scenario}_dumb")
                self.judge_plain(scenario, without_line_ends(written(events)))
                self.assertEqual(code, 0)

    def test_without_colours(self):
        for scenario in self.scenarios:
            with self.subTest(scenario):
                events, code = self.run_of(f"{scenario}_no_color")
                self.assertIsNone(COLOUR.search(written(events)))
                judge_screen(self, Expected(scenario, STEPS), events)
                self.assertEqual(code, 0)

    def test_colours_where_they_are_wanted(self):
        self.assertIsNotNone(COLOUR.search(written(on_pyte("one", ())[0])), "or the test above would show nothing")

    def test_a_frame_is_one_write(self):
        events, code, trace = self.run_of("writes")
        self.assertEqual(code, 0)
        judge_screen(self, Expected("one", STEPS), events)
        calls = re.findall(r'write\(\d+</dev/pts/\d+>, "(.*)", (\d+)(?: <unfinished|\) += (-?\d+))', trace)
        self.assertEqual(len(calls), len(re.findall(r"writev?\(\d+</dev/pts/", trace)), "each call was understood")
        pieces = [text for text, size, done in calls if done and int(done) < int(size)]  # the terminal took no more at once
        begin, end = (mark.decode().replace("\x1b", r"\33") for mark in (SYNC_BEGIN, SYNC_END))
        frames = [text for text, _, _ in calls if begin in text or end in text]
        if not pieces:
            self.assertEqual([text for text in frames if not text.startswith(begin) or not text.endswith(end)], [])
        self.assertLessEqual(len(calls) - len(pieces), written(events).count(SYNC_BEGIN) + len(calls) - len(frames))


if __name__ == "__main__":
    main()
