"""dlog::signal_safe() in real signal handlers: shown once, with its place and time, whatever it interrupted."""
import re
import signal
import unittest

from support import FULL, SANITIZED, Console, Program, check_numbered, clean_environment, main, plain_lines, run, scaled

COUNTS = re.compile(r"^said (\d+), enqueued (\d+), shown (\d+), dropped (\d+), errno (\w+)$", re.M)
TEXT = "usr1 {} handled"


def counts_of(program):
    *numbers, error = COUNTS.search(program.out.text()).groups()
    return [int(number) for number in numbers], error


class SignalSafe(unittest.TestCase):
    def test_before_dlog_is_started_it_goes_to_stderr(self):
        program = run(self, "t_signal_safe", "early")
        first, rest = program.err.text().split("\n", 1)
        self.assertEqual(first, "WRN usr1 {} handled")
        self.assertEqual([line.message for line in plain_lines(self, rest)], ["started"])
        self.assertEqual(counts_of(program), ([1, 1, 1, 0], "kept"))

    def test_a_log_thread_that_sleeps_is_woken(self):
        program = run(self, "t_signal_safe", "idle")
        lines = plain_lines(self, program.err.text())
        self.assertEqual([(line.level, line.message) for line in lines], [("INF", "started"), ("WRN", TEXT)])
        self.assertEqual(counts_of(program), ([1, 2, 2, 0], "kept"))

    def test_its_place_in_the_source_is_told(self):
        program = run(self, "t_signal_safe", "idle", env=clean_environment(DLOG_FORMAT="json"))
        self.assertRegex(program.err.text(), r'"usr1 \{\} handled".*t_signal_safe\.cpp')

    def test_threads_that_log_are_interrupted(self):
        program = run(self, "t_signal_safe", "busy", str(20_000 if FULL else scaled(1000)))
        logged = [int(count) for count in re.findall(r"^logged (\d+)$", program.out.text(), re.M)]
        rest = check_numbered(self, program.err.text(), {f"t/{thread}": count for thread, count in enumerate(logged)})
        (said, enqueued, shown, dropped), error = counts_of(program)
        self.assertEqual(error, "kept")
        self.assertGreater(said, 0)
        self.assertEqual(sum(line.endswith(TEXT) for line in rest) + dropped, said)
        self.assertEqual((enqueued, shown), (said + sum(logged), said + sum(logged) - dropped))

    def test_what_there_is_no_room_for_is_counted_and_told(self):
        program = run(self, "t_signal_safe", "overflow", "300")
        messages = [line.message for line in plain_lines(self, program.err.text())]
        self.assertEqual(messages.count(TEXT), 256)
        self.assertIn("44 records dropped: the queue was full", messages)
        self.assertEqual(counts_of(program), ([300, 301, 257, 44], "kept"))

    def test_after_dlogs_own_exit_handler_it_is_shown_too(self):
        program = run(self, "t_signal_safe", "exit")
        self.assertEqual([line.message for line in plain_lines(self, program.err.text())], ["started", TEXT])

    @unittest.skipIf(SANITIZED, "a sanitizer has an operator new of its own")
    def test_nothing_is_allocated_where_the_program_replaced_dlogs_descriptors(self):
        program = run(self, "t_signal_safe", "closed")
        self.assertIn("allocated 0\n", program.out.text())
        messages = [line.message for line in plain_lines(self, program.err.text())]
        self.assertEqual([messages.count(text) for text in ("started", TEXT, "on it goes")], [1, 1, 1])

    def test_a_crash_that_aborts(self):
        program = Program(self, "t_signal_safe", "abort")
        self.assertEqual(program.wait(), -signal.SIGABRT)
        self.assertEqual([line.message for line in plain_lines(self, program.err.text())], ["started", "segv handled"])

    def test_below_the_level_nothing_is_said(self):
        program = run(self, "t_signal_safe", "off")
        self.assertEqual(program.err.text(), "")
        self.assertEqual(counts_of(program), ([1, 0, 0, 0], "kept"))

    def test_in_a_child_its_parent_shows_it(self):
        console = Console(self)
        program = run(self, "t_signal_safe", "idle", env=clean_environment(DLOG_PIPE=console.address))
        self.assertEqual(program.err.bytes(), b"")
        self.assertEqual([line.message for line in plain_lines(self, console.close())], ["started", TEXT])


if __name__ == "__main__":
    main()
