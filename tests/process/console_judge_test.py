"""The judge of consoles is judged: a small console that does everything right, one thing made bad, and that is found."""
import shutil
import tempfile
import unittest

from console_judge import Expected, LiveBars, text_of
from support import clean_environment, main
from terminal import SYNC_BEGIN, SYNC_END, Terminal
from tmux import Tmux

STEPS = 30
STEPS_A_FRAME = 3
SIZE = (80, 24)
# Ends of bars 1 to 4, and what a console of ours says with them.
ERASE_DOWN = "\x1b[K\x1b[C\x1b[J\r"
LAST_STATES = ("finished", "failed: no disk", "abandoned", "finished")


def line(step, scenario="one", source="a"):
    return f"12:34:56.789 INF {source}[4711]: src={source} seq={step} {text_of(scenario, step)} end"


def bar_row(bar, step, state=""):
    return f"bar {bar} of a [{'#' * step:<{STEPS}}] {step}/{STEPS} {state}".rstrip()


def frame(lines, rows):
    """What dlog writes, from the spacer above the rows to the spacer above the rows."""
    text = f"\x1b[?2026h\r{ERASE_DOWN}" + "".join(f"{line}\n" for line in lines) + "\x1b[?7l"
    text += "".join(f"\n{row}\x1b[K" for row in rows) + "\x1b[?7h"
    return text + (f"\r\x1b[{len(rows)}A" if rows else "") + "\x1b[?2026l"


def good_console(scenario="one"):
    """All frames of a run of `one`, with its other lines if they are asked for."""
    pieces = [frame([], [bar_row(bar, 0) for bar in range(1, 5)])]
    for first in range(0, STEPS, STEPS_A_FRAME):
        lines = [line(step, scenario) for step in range(first, first + STEPS_A_FRAME)]
        pieces.append(frame(lines, [bar_row(bar, first + STEPS_A_FRAME) for bar in range(1, 5)]))
    ends = [bar_row(bar, STEPS, state) for bar, state in enumerate(LAST_STATES, 1)]
    return [*pieces, frame([*ends, line(STEPS, scenario)], [])]


def as_events(pieces):
    """As the line discipline passes them on; a size is an event of its own."""
    return [piece.replace("\n", "\r\n").encode() if isinstance(piece, str) else piece for piece in pieces]


class Judge(unittest.TestCase):
    def faults(self, pieces, scenario="one"):
        bars = LiveBars(Expected(scenario, STEPS).bars)
        self.screen = Terminal(*SIZE).replay_events(as_events(pieces), bars)
        return Expected(scenario, STEPS).faults(self.screen.text_lines()) + bars.faults

    def assert_found(self, pieces, *starts, scenario="one"):
        """Each of these faults is found, and all that are found begin like one of them."""
        found = self.faults(pieces, scenario)
        for start in starts:
            self.assertTrue([fault for fault in found if fault.startswith(start)], f"{start!r} in {found[:8]}")
        self.assertEqual([fault for fault in found if not fault.startswith(starts)], [])

    def changed(self, old, new, scenario="one", count=-1):
        """The good console with another text in the place of one that it surely has."""
        text = "\0".join(good_console(scenario))
        self.assertIn(old, text)
        return text.replace(old, new, count).split("\0")

    def test_a_good_console(self):
        for scenario in ("one", "long", "wide"):
            self.assertEqual(self.faults(good_console(scenario), scenario), [])
            self.assertTrue(self.screen.cursor_shown() and self.screen.autowrap())

    def test_a_good_console_that_is_resized(self):
        for scenario in ("one", "long", "wide"):
            pieces = good_console(scenario)
            pieces[7:7], pieces[5:5], pieces[3:3] = [(100, 30)], [(44, 12)], [(60, 20)]
            self.assertEqual(self.faults(pieces, scenario), [])

    def test_bars_that_are_not_erased(self):
        self.assert_found(self.changed(ERASE_DOWN, ""), "torn", "lost")

    def test_bars_that_stay_where_they_are(self):
        self.assert_found(self.changed("\r\x1b[4A", "\n"), "a ghost of bar 1", "a ghost of bar 4", "a ghost", "bar ",
                          "does not belong here: ''")

    def test_one_row_too_far_up(self):
        self.assert_found(self.changed("\x1b[4A", "\x1b[5A"), "lost: a 2 to 2", "lost")

    def test_one_row_too_few_up(self):
        self.assert_found(self.changed("\x1b[4A", "\x1b[3A"), "does not belong here: ''")

    def test_a_line_that_is_lost_twice_or_elsewhere(self):
        self.assert_found(self.changed(line(7) + "\n", ""), "lost: a 7 to 7")
        self.assert_found(self.changed(line(7), line(7) + "\n" + line(7)), "twice or out of order")
        self.assert_found(self.changed(line(7) + "\n" + line(8), line(8) + "\n" + line(7)), "lost: a 7 to 7", "twice or out of order")
        self.assert_found(self.changed(line(STEPS) + "\n", ""), f"lost: a {STEPS} to {STEPS}")

    def test_lines_that_run_into_each_other(self):
        self.assert_found(self.changed(line(7) + "\n", line(7)), "mixed", "lost: a 8 to 8")
        self.assert_found(self.changed(line(7), line(7)[:40] + "\n" + line(7)[40:]), "torn", "lost: a 7 to 7", "does not belong here")
        self.assert_found(self.changed(text_of("one", 8), text_of("one", 8)[:-1] + "?", count=1), "mixed")
        self.assert_found(self.changed(text_of("long", 8), text_of("long", 8)[:200] + text_of("long", 8)[204:], "long"), "mixed",
                          scenario="long")

    def test_a_bar_without_an_end(self):
        self.assert_found(self.changed(bar_row(3, STEPS, LAST_STATES[2]) + "\n", ""), "no line of the end of bar 3", "bar 3 ends below",
                          "bars [3] are missing")

    def test_a_bar_that_ends_twice_or_late_or_as_another(self):
        end = bar_row(3, STEPS, LAST_STATES[2])
        self.assert_found(self.changed(end, f"{end}\n{end}"), "a ghost of bar 3")
        self.assert_found(self.changed(f"\n{line(STEPS)}", "").copy() + [f"{line(STEPS)}\n{bar_row(4, STEPS)}\n"],
                          "a ghost of bar 4")
        self.assert_found(self.changed("abandoned", "finished"), "bar 3 does not say that it is abandoned")

    def test_a_bar_that_is_not_there_for_a_moment(self):
        pieces = self.changed("\x1b[?2026h", "", count=5)
        erased, rest = pieces[4].split(ERASE_DOWN)
        pieces[4:5] = [erased + ERASE_DOWN, rest]
        self.assert_found(pieces, "bars [1, 2, 3, 4] are missing on a screen at rest")
        # Within a synchronized update nobody sees it.
        self.assertEqual(self.faults(["\x1b[?2026h" + "\0".join(pieces).replace("\x1b[?2026h", "").replace("\x1b[?2026l", "")]), [])

    def test_what_does_not_belong_there(self):
        self.assert_found(self.changed(line(7), line(7) + "\n... and 3 more"), "does not belong here")

    def test_blank_lines_where_a_terminal_gets_narrower(self):
        self.faults(good_console())
        good = self.screen.text_lines()
        bad = [*good[:3], "", *good[3:7], " " * SIZE[0] + good[7], *good[8:]]
        self.assertEqual(Expected("one", STEPS, blanks=2).faults(bad), [])
        self.assertEqual(len(Expected("one", STEPS, blanks=1).faults(bad)), 2, "the line in the wrong place, and it is missing")
        self.assertEqual(Expected("one", STEPS).faults(bad)[0], "does not belong here: ''")

    def test_stray_lines(self):
        strays = Expected("stray", STEPS).strays

        def with_strays(texts):
            pieces = good_console()
            for i, text in enumerate(texts):
                pieces.insert(2 * i + 2, text + "\n")
            return pieces

        self.assertEqual(self.faults(with_strays(strays), "stray"), [])
        self.assert_found(with_strays(strays[1:]), "lost: 'stray 0", scenario="stray")
        # The second of two between two frames stands where a bar was.
        self.assert_found(with_strays([*strays[:4], "\n".join(strays[4:])]), "lost: 'stray 5", "bars [1]", "does not belong here: 'stray 5",
                          scenario="stray")

    def test_how_the_terminal_is_left(self):
        self.faults(self.changed("\x1b[?7h", ""))
        self.assertFalse(self.screen.autowrap())
        self.faults(["\x1b[?25l", *good_console()])
        self.assertFalse(self.screen.cursor_shown())

    def test_marks_that_come_in_pieces(self):
        data = b"".join(as_events(good_console()))
        for size in (1, 7, 100):
            self.assertEqual(self.faults([data[i:i + size] for i in range(0, len(data), size)]), [])
        self.assertEqual(len(SYNC_BEGIN), len(SYNC_END))


class JudgeOnTmux(unittest.TestCase):
    def shown(self, pieces):
        with tempfile.NamedTemporaryFile(prefix="dlog-console-") as file:
            file.write(b"".join(as_events(pieces)))
            file.flush()
            return Tmux([shutil.which("cat"), file.name], clean_environment(), *SIZE)

    def test_a_good_console(self):
        for scenario in ("one", "long", "wide"):
            run = self.shown(good_console(scenario))
            self.assertEqual(Expected(scenario, STEPS).faults(run.lines), [])
            self.assertEqual((run.code, run.cursor_shown, run.autowrap), (0, True, True))

    def test_bad_consoles(self):
        # The second one: tmux keeps what is erased from the very first place of the screen on, above the screen.
        for old, new, start in ((ERASE_DOWN, "", "torn"), (ERASE_DOWN, "\x1b[J", "a ghost"), ("\r\x1b[4A", "\n", "a ghost"),
                                ("\x1b[4A", "\x1b[5A", "lost"), (line(7), line(7) + line(7), "mixed")):
            run = self.shown([piece.replace(old, new) for piece in good_console()])
            found = Expected("one", STEPS).faults(run.lines)
            self.assertTrue([fault for fault in found if fault.startswith(start)], found[:5])

    def test_how_the_terminal_is_left(self):
        run = self.shown(["\x1b[?25l\x1b[?7l", *good_console()[:1], "\x1b[?7l"])
        self.assertEqual((run.cursor_shown, run.autowrap), (False, False))


if __name__ == "__main__":
    main()
