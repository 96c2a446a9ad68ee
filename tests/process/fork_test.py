"""Forks that meet the process in the middle of something: in a sink, in a handler, in a first call; and what they take with them."""
import os
import re
import tempfile
import unittest

from support import Program, binary, clean_environment, main, messages, notices, plain_lines, run, sanitizer

NOT_CALLED = "sinks of the process that this one was forked from are not called: a thread may have been inside one of them"

NO_THREAD = ("no log thread (it does not come up: a thread of the process that this one was forked from held a lock of the C library); "
             "records are written by their callers")


@unittest.skipIf(sanitizer(), "a sanitizer's own locks do not survive a fork of a busy process")
class Meets(unittest.TestCase):
    def meets(self, *words, **variables):
        """The program, and for each child how it ended, and how long the fork and its life took."""
        program = run(self, "t_fork_meets", *words, env=clean_environment(**variables))
        if program.out.text() == "no _Fork\n":
            self.skipTest("this C library has no _Fork")
        children = re.findall(r"^child (-?\d+) fork (\d+) life (\d+)$", program.out.text(), re.M)
        return program, [tuple(map(int, child)) for child in children]

    def shown(self, program):
        return sorted(messages(plain_lines(self, program.err.text())))

    def warned(self, program):
        return [line.message for line in notices(plain_lines(self, program.err.text())) if line.message.startswith("sinks of")]

    def test_a_sink_that_holds_a_lock_is_left_first(self):
        program, ((status, fork_ms, life_ms),) = self.meets("sink")
        self.assertEqual(status, 0)
        self.assertLess(life_ms, 1500, fork_ms)
        self.assertEqual(self.shown(program), ["slow", "the child says", "the parent says"])
        self.assertEqual(self.warned(program), [])
        self.assertIn("the sink was called\n", program.out.text())

    def test_a_sink_that_is_stuck_is_not_called_in_the_child(self):
        program, ((status, fork_ms, life_ms),) = self.meets("stuck")
        self.assertEqual(status, 0)
        self.assertLess(fork_ms, 700)
        self.assertEqual(self.shown(program), ["slow", "the child says", "the parent says"])
        self.assertEqual(self.warned(program), [NOT_CALLED])
        self.assertIn("the sink was not called\n", program.out.text())

    def test_where_no_handler_runs_sinks_are_not_called_in_the_child(self):
        program, ((status, _, _),) = self.meets("sink", "_Fork")
        self.assertEqual(status, 0)
        self.assertEqual(self.shown(program), ["slow", "the child says", "the parent says"])
        self.assertEqual(self.warned(program), [NOT_CALLED])

    def test_a_sink_that_forks(self):
        for way in ("fork", "_Fork"):
            fork_ms = 90
            for _ in range(10):  # a busy machine may be slow itself
                if fork_ms < 90:
                    break
                program, ((status, fork_ms, _),) = self.meets("within", way)
                self.assertEqual(status, 0)
                self.assertEqual(self.shown(program), ["fork now", "the child says", "the parent says"])
                self.assertEqual(self.warned(program), [NOT_CALLED])
            self.assertLess(fork_ms, 90, "nobody waits for himself")

    def test_a_screen_in_memory(self):
        program, children = self.meets("stays")
        self.assertEqual([status for status, _, _ in children], [0] * 40)
        said = [message for message in messages(plain_lines(self, program.err.text())) if not message.startswith("busy")]
        self.assertEqual(sorted(said), sorted(f"child {i} says" for i in range(40)))
        self.assertEqual([life_ms for _, _, life_ms in children if life_ms > 1500], [])

    def test_a_thread_of_the_child_logs_before_the_one_that_was_the_log_thread(self):
        for way in ("fork", "_Fork"):
            program, ((status, _, _),) = self.meets("step", way)
            self.assertEqual(status, 0)
            said = ["fork now", "the child's thread says", "complete true", "the parent says", *(f"the child says {i}" for i in range(100))]
            self.assertEqual(self.shown(program), sorted(said))

    def test_a_level_that_was_set(self):
        for way in ("fork", "_Fork"):
            program, children = self.meets("level", way, DLOG_LEVEL="trace")
            self.assertEqual(children[0][0], 0)
            self.assertEqual(self.shown(program), ["the child says"])
            self.assertEqual(re.findall(r"^level (\d)$", program.out.text(), re.M), ["3", "3"])

    def test_a_parent_that_announces_itself_nowhere(self):
        for way in ("fork", "_Fork"):
            program, children = self.meets("unannounced", way)
            self.assertEqual(children[0][0], 0)
            self.assertEqual(self.shown(program), ["the child says, child", "the grandchild says, child", "the parent says"])

    def test_the_log_file_is_the_parents(self):
        for way in ("fork", "_Fork"):
            with tempfile.TemporaryDirectory() as folder:
                program, _ = self.meets("file", way, DLOG_FILE=os.path.join(folder, "the.log"))
                self.assertIn("files 0\n", program.out.text())

    def test_another_thread_is_in_our_signal_handler(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        program = Program(self, "t_fork_meets", "handler", env=clean_environment(DLOG_OUTPUT_FD=str(writer)), pass_fds=(writer,))
        os.close(writer)
        self.assertEqual(program.wait(), 0)
        (status, life_ms), = re.findall(r"^child (-?\d+) fork 0 life (\d+)$", program.out.text(), re.M)
        self.assertEqual(status, "-15")
        self.assertLess(int(life_ms), 1500)

    def test_a_handler_forks_in_the_middle_of_a_call(self):
        for way in ("fork", "_Fork"):
            program, children = self.meets("call", way)
            self.assertEqual(children, [(0, 0, 0)])
            said = [message for message in self.shown(program) if not message.startswith("interrupted")]
            self.assertEqual(said, ["the child says 0", "the child says 1", "the child says 2", "the parent says"])
            self.assertRegex(program.err.text(), rf"t_fork_meets\[{program.pid}\]: interrupted")

    def test_a_thread_is_in_its_first_call(self):
        program, children = self.meets("key", LD_PRELOAD=binary("t_slow_calls.so"))
        self.assertEqual(children[0][0], 0)
        self.assertEqual(self.shown(program), ["the child says", "the thread says"])

    def test_a_thread_is_in_its_first_allocation(self):
        """Where no handler runs, a new thread of the child cannot allocate anything, for ever."""
        program, ((status, _, life_ms),) = self.meets("arena", "_Fork", LD_PRELOAD=binary("t_slow_calls.so"))
        self.assertEqual(status, 0)
        self.assertLess(life_ms, 1500)
        self.assertEqual(self.shown(program), ["the child says", "the thread says " + 100 * "x"])
        said = [line.message for line in notices(plain_lines(self, program.err.text()))]
        self.assertEqual(said, [NO_THREAD])

    def test_a_thread_asks_for_the_local_time(self):
        """Each is a console of its own, and has to know it."""
        for way in ("fork", "_Fork"):
            program, children = self.meets("zone", way, LD_PRELOAD=binary("t_slow_calls.so"), DLOG_JOIN_PARENT="false")
            self.assertEqual(children[0][0], 0)
            self.assertEqual(self.shown(program), ["the child says", "the parent says"])

    def test_a_thread_asks_for_the_local_time_of_another_year(self):
        for way in ("fork", "_Fork"):
            program, ((status, _, life_ms),) = self.meets("old record", way, LD_PRELOAD=binary("t_slow_calls.so"), DLOG_JOIN_PARENT="false")
            self.assertEqual(status, 0)
            self.assertLess(life_ms, 1500)
            self.assertEqual(self.shown(program), ["old", "old", "the child says"])

    def test_a_handler_at_the_end_forks(self):
        for way in ("fork", "_Fork"):
            for join_parent in ("true", "false"):
                for _ in range(5):
                    program, children = self.meets("exit", way, DLOG_JOIN_PARENT=join_parent)
                    self.assertEqual(children[0][0], 0)
                    self.assertEqual(self.shown(program), ["the child says 0", "the child says 1", "the parent says"])


if __name__ == "__main__":
    main()
