"""The console on a terminal: the words, the colours, and bars that stand below the records, seen through a terminal emulator."""
import re
import unittest

from seed import Client, create_frame, finish_frame, log_frame, push_frame
from support import LEVELS, TERMINAL, Console, Program, clean_environment, main, plain_lines, run, until
from terminal import Terminal, control_bytes, without_line_ends

EACH_LEVEL = ("trace one", "debug two", "info three", "warn four", "error five", "fatal six")
COLOUR = re.compile(rb"\x1b\[[\d;]*m")


def rows_with(rows, text):
    return [row for row in rows if text in row]


class Words(unittest.TestCase):
    def shown(self, *script, **variables):
        terminal = Terminal()
        program = run(self, "t_do", *script, terminal=terminal, env=clean_environment(**variables))
        return program, terminal.replay(program.err.bytes())

    def test_records(self):
        program, screen = self.shown(*EACH_LEVEL)
        matches = [TERMINAL.fullmatch(row) for row in screen.text()]
        self.assertTrue(all(matches), screen.text())
        self.assertEqual([m["level"] for m in matches], list(LEVELS))
        self.assertEqual({(m["name"], int(m["pid"])) for m in matches}, {("t_do", program.pid)})
        self.assertEqual(program.out.bytes(), b"")

    def test_the_level_is_coloured(self):
        program, screen = self.shown("info one", "warn two", "error three")
        colours = [{screen.buffer[y][x].fg for x in range(13, 16)} for y in range(3)]
        self.assertEqual([len(c) for c in colours], [1, 1, 1])
        self.assertEqual(len(set.union(*colours) - {"default"}), 3, colours)
        for y, row in enumerate(screen.text()):
            message = row.index("]: ") + 3
            self.assertEqual({screen.buffer[y][x].fg for x in range(message, len(row))}, {"default"})

    def test_no_color_takes_colour_only(self):
        coloured, plain = self.shown(*EACH_LEVEL)[0].err.bytes(), self.shown(*EACH_LEVEL, NO_COLOR="1")[0].err.bytes()
        self.assertIsNone(COLOUR.search(plain))
        blank = re.compile(rb"[\d:.]{12}|\[\d+\]")
        self.assertEqual(blank.sub(b"", plain), blank.sub(b"", COLOUR.sub(b"", coloured)))

    def test_an_empty_no_color_counts_as_none(self):
        self.assertIsNotNone(COLOUR.search(self.shown(*EACH_LEVEL, NO_COLOR="")[0].err.bytes()))

    def test_no_color_leaves_the_bars(self):
        terminal = Terminal()
        program = Program(self, "t_do", "bar a 10 Reading", "push a 5", "wait", "push a 10", "done a", terminal=terminal,
                          env=clean_environment(NO_COLOR="1"))
        until(lambda: rows_with(terminal.replay(program.err.bytes()).text(), "Reading"), "the bar")
        self.assertEqual(program.wait(), 0)
        self.assertIsNone(COLOUR.search(program.err.bytes()))
        self.assertEqual(len(rows_with(terminal.replay(program.err.bytes()).text(), "Reading")), 1)

    def test_places_without_escapes(self):
        for variables in ({"TERM": "dumb"}, {"DLOG_FORMAT": "plain"}):
            program, _ = self.shown(*EACH_LEVEL, "bar a 10 Reading", "push a 5", "sleep 400", "push a 10", "done a", **variables)
            data = without_line_ends(program.err.bytes())
            self.assertEqual(control_bytes(data), [], variables)
            lines = plain_lines(self, data.decode())
            self.assertEqual([line.level for line in lines if "Reading" not in line.message], list(LEVELS))
            self.assertTrue([line for line in lines if "Reading" in line.message])

    def test_json_on_a_terminal_has_no_escapes(self):
        program, _ = self.shown(*EACH_LEVEL, "bar a 10 Reading", "done a", DLOG_FORMAT="json")
        self.assertEqual(control_bytes(without_line_ends(program.err.bytes())), [])

    def test_terminal_words_on_a_pipe_only_if_asked(self):
        program = run(self, "t_do", "info hello", env=clean_environment(DLOG_FORMAT="terminal"))
        self.assertRegex(program.err.text(), r"^(\x1b\[[\d;]*m)?\d\d:\d\d:\d\d\.\d{3} ")
        program = run(self, "t_do", "info hello")
        self.assertNotIn("\x1b", program.err.text())

    def test_continuation_lines(self):
        _, screen = self.shown("info first\n00:00:00.000 INF bank[1]: second")
        rows = screen.text()
        self.assertEqual(len(rows), 2)
        self.assertTrue(rows[1].startswith("    00:00"))


class Bars(unittest.TestCase):
    def setUp(self):
        self.terminal = Terminal()

    def start(self, *script, **options):
        self.program = Program(self, "t_do", *script, terminal=self.terminal, **options)
        return self.program

    def rows(self):
        return self.terminal.replay(self.program.err.bytes()).text()

    def see(self, condition, what):
        until(lambda: condition(self.rows()), lambda: f"{what} in {self.rows()}")

    def end(self):
        self.assertEqual(self.program.wait(), 0)
        screen = self.terminal.replay(self.program.err.bytes())
        rows = screen.text()
        self.assertEqual(screen.cursor.x, 0)
        self.assertNotIn("", rows, "no blank line is left behind")
        return rows

    def test_records_above_bars_below(self):
        self.start("info before", "bar a 100 Reading", "push a 40", "wait", "info amid", "warn again", "wait", "push a 100", "done a", "info after")
        self.see(lambda rows: rows_with(rows, "Reading") and "40%" in rows_with(rows, "Reading")[0], "the bar at 40 %")
        self.program.go()
        self.see(lambda rows: rows_with(rows, "again") and rows and "Reading" in rows[-1], "the bar below the records")
        rows = self.rows()
        self.assertEqual([bool(TERMINAL.fullmatch(row)) for row in rows if row], [True, True, True, False])
        self.program.go()
        rows = self.end()
        self.assertEqual(len(rows), 5)
        self.assertIn("Reading", rows[3])
        self.assertIn("100/100", rows[3])
        self.assertTrue(rows[4].endswith("]: after"))

    def test_how_bars_end(self):
        self.start("bar a 10 Alpha", "bar b 10 Beta", "bar c 10 Gamma", "bar d 10 Delta", "bar e 0 Epsilon", "push b 3", "push c 4", "wait",
                   "push a 10", "done a", "fail b no disk", "abandon c", "clear d", "done e")
        self.see(lambda rows: all(rows_with(rows, name) for name in ("Alpha", "Beta", "Gamma", "Delta", "Epsilon")), "five bars")
        rows = self.end()
        self.assertEqual(len(rows), 4)
        self.assertEqual(rows_with(rows, "Delta"), [])
        for name, mark in (("Alpha", "finished"), ("Beta", "failed"), ("Gamma", "abandoned"), ("Epsilon", "finished")):
            self.assertEqual(len(rows_with(rows, name)), 1, rows)
            self.assertIn(mark, rows_with(rows, name)[0])
        self.assertIn("no disk", rows_with(rows, "Beta")[0])

    def test_a_bar_too_short_to_be_drawn_leaves_its_line(self):
        self.start("bar a 10 Reading", "push a 10", "done a", "info after")
        rows = self.end()
        self.assertEqual([("Reading" in row, "after" in row) for row in rows], [(True, False), (False, True)])

    def test_a_bar_that_lives_at_the_end(self):
        for last in ("sleep 400", "exit 0", "quick_exit 0"):
            self.start("info before", "bar a 10 Reading", "push a 3", "sleep 400", last)
            rows = self.end()
            self.assertEqual(len(rows_with(rows, "Reading")), 1, (last, rows))
            self.assertIn("3/10", rows_with(rows, "Reading")[0])

    def test_finish_leaves_the_console_tidy_and_logging_goes_on(self):
        self.start("bar a 10 Reading", "push a 3", "sleep 400", "finish", "say tidy", "wait", "info more", "push a 10", "done a")
        self.program.out.wait("^tidy$")
        until(lambda: not rows_with(self.rows(), "Reading"), "the bar's leaving")  # it is written by now, not read by us
        rows = self.end()
        self.assertEqual(len(rows_with(rows, "Reading")), 1)
        self.assertEqual(len(rows_with(rows, "more")), 1)

    def test_many_records_above_a_bar(self):
        self.start("bar a 500 Reading", "sleep 300", *[part for i in range(500) for part in (f"info line {i}.", "add a 1")], "done a")
        rows = self.end()
        self.assertEqual([row[row.index("line"):] for row in rows if "line" in row], [f"line {i}." for i in range(500)])
        self.assertEqual(len(rows_with(rows, "Reading")), 1)
        self.assertEqual(len(rows), 501)

    def test_more_bars_than_rows(self):
        names = [f"bar number {i:02}" for i in range(40)]
        self.start(*[f"bar b{i} 10 {name}" for i, name in enumerate(names)], "sleep 300", "info amid", "sleep 300", "wait",
                   *[part for i in range(40) for part in (f"push b{i} 10", f"done b{i}", f"info done {i:02}")])
        self.see(lambda rows: rows_with(rows, "amid") and rows_with(rows, " more"), "the sum of the bars that have no room")
        screen = self.terminal.replay(self.program.err.bytes())
        self.assertEqual([row for row in screen.gone if "bar number" in row], [], "no bar leaves the screen at the top")
        rows = self.end()
        self.assertEqual([row[:13] for row in rows if row.startswith("bar number")], names)
        self.assertEqual(len(rows), 81)

    def test_overlong_descriptions_are_cut(self):
        self.start("bar a 10 " + "long " * 200, "push a 3", "sleep 400", "info amid", "sleep 300", "done a")
        rows = self.end()
        self.assertEqual(len(rows), 2)

    def test_suspend(self):
        self.start("bar a 10 Reading", "push a 3", "sleep 300", "suspend quiet", "sleep 300", "push a 10", "done a")
        self.assertEqual(len(self.end()), 1)
        self.assertEqual(self.program.out.text(), "quiet\n")

    def test_progress_off(self):
        for variables in ({"DLOG_NO_PROGRESS": "true"}, {"DLOG_PROGRESS": "none"}):
            self.start("info before", "bar a 10 Reading", "push a 3", "sleep 400", "done a", env=clean_environment(**variables))
            rows = self.end()
            self.assertEqual([row[-6:] for row in rows], ["before"])


class ChildrensBars(unittest.TestCase):
    def test_they_stand_on_the_parents_console(self):
        terminal = Terminal()
        console = Console(self, "bar a 10 Own", "push a 2", terminal=terminal)
        ours = Program(self, "t_do", "bar b 100 Copying", "push b 30", "wait", "push b 100", "done b", "info child done",
                       env=clean_environment(DLOG_PIPE=console.address))
        foreign = Client(self, console.port)
        foreign.send(create_frame(1, "Foreign", 50) + push_frame(1, 20) + log_frame("foreign record"))

        def rows():
            return terminal.replay(console.err.bytes()).text()

        until(lambda: all(rows_with(rows(), text) for text in ("Own", "30%", "40%", "foreign record")), lambda: f"three bars in {rows()}")
        self.assertEqual(ours.wait(), 0)
        self.assertEqual(ours.err.bytes(), b"")
        until(lambda: rows_with(rows(), "child done"), "the child's end")
        foreign.close()
        until(lambda: rows_with(rows(), "orphaned"), "the foreign child's end")
        console.close()
        final = rows()
        for name, mark in (("Own", "2/10"), ("Copying", "100/100"), ("Foreign", "orphaned")):
            self.assertEqual(len(rows_with(final, name)), 1, final)
            self.assertIn(mark, rows_with(final, name)[0])

    def test_a_quick_child_leaves_its_bars_line(self):
        terminal = Terminal()
        console = Console(self, terminal=terminal)
        child = Client(self, console.port)
        child.send(create_frame(1, "Quick", 5) + push_frame(1, 5) + finish_frame(1) + log_frame("later"))
        console.err.wait("later")
        child.close()
        console.close()
        self.assertEqual(len(rows_with(terminal.replay(console.err.bytes()).text(), "Quick")), 1)


if __name__ == "__main__":
    main()
