"""Numbered records from programs that end at once, end badly, or shout together: none missing, double, torn or out of order."""
# ctest: timeout=300
import os
import signal
import tempfile
import unittest

from seed import Listener, read_frames
from support import FULL, Console, Program, binary, check_numbered, clean_environment, main, run, runs, scaled, with_sanitizer_options

CHILDREN = 8
PARENT_THREADS = 2


class EndAtOnce(unittest.TestCase):
    def test_a_program_of_its_own(self):
        for i in range(runs(100)):
            program = run(self, "t_once", "own", str(1 + i % 3 * 40))
            self.assertEqual(check_numbered(self, program.err.text(), {"own/0": 1 + i % 3 * 40}), [])

    def test_a_child(self):
        console = Console(self)
        expected = {}
        for i in range(runs(100)):
            expected[f"child{i}/0"] = 1 + i % 3 * 40
            child = run(self, "t_once", f"child{i}", str(1 + i % 3 * 40), env=clean_environment(DLOG_PIPE=console.address))
            self.assertEqual((child.out.bytes(), child.err.bytes()), (b"", b""))
        # The parent ends at once too: what its children had sent is still on its way.
        check_numbered(self, console.close(), expected)

    def test_a_child_of_a_parent_that_is_not_ours(self):
        for i in range(runs(30)):
            listener = Listener(self, piece=64, receive_buffer=2048)
            run(self, "t_once", "child", "300", env=clean_environment(DLOG_PIPE=listener.address))
            self.assertEqual(len(read_frames(self, listener.all(self))), 300, i)

    def test_a_parent_that_ends_with_its_child(self):
        for _ in range(runs(50)):
            program = run(self, "t_spawn", "environ", "2", "1", "50", binary("t_once"), "child%", "100")
            check_numbered(self, program.err.text(), {"child0/0": 100, "child1/0": 100, "parent/0": 50})


class EndBadly(unittest.TestCase):
    ENDS = (("exit 3", 3), ("quick_exit 4", 4), ("abort", -signal.SIGABRT), ("throw nobody catches this", -signal.SIGABRT))

    def test_as_parent(self):
        with tempfile.TemporaryDirectory() as folder:
            for end, code in self.ENDS:
                for i in range(runs(10)):
                    path = os.path.join(folder, f"{end} {i}".replace(" ", "."))
                    program = run(self, "t_do", "many 500 own", end, code=code, env=clean_environment(DLOG_FILE=path))
                    with open(path, encoding="utf-8") as file:
                        self.assertEqual(check_numbered(self, file.read(), {"own/0": 500}), [], end)
                    # Of an exception, the runtime speaks on stderr too, in the middle of our lines.
                    if not end.startswith("throw"):
                        self.assertEqual(check_numbered(self, program.err.text(), {"own/0": 500}), [], end)

    def test_as_child(self):
        console = Console(self)
        expected = {}
        for kind, (end, code) in enumerate(self.ENDS):
            for i in range(runs(10)):
                expected[f"child{kind}.{i}/0"] = 500
                run(self, "t_do", f"many 500 child{kind}.{i}", end, code=code, env=clean_environment(DLOG_PIPE=console.address))
        check_numbered(self, console.close(), expected)

    def test_signals_where_they_are_handled(self):
        # Where a sanitizer has a handler of its own for a fault, that one decides how the process ends.
        env = with_sanitizer_options(clean_environment(DLOG_HANDLE_SIGNALS="true"), handle_segv=0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSEGV):
            for _ in range(runs(5)):
                program = run(self, "t_do", "many 500 own", f"raise {int(number)}", "say no further", code=-number, env=env)
                self.assertEqual(check_numbered(self, program.err.text(), {"own/0": 500}), [], number)
                self.assertEqual(program.out.bytes(), b"")

    def test_an_abort_right_after_the_start(self):
        for _ in range(runs(20)):
            self.assertIn("]: only", run(self, "t_do", "info only", "abort", code=-signal.SIGABRT).err.text())

    def test_logging_in_exit_handlers(self):
        for script in (["info first", "at_exit"], ["at_exit", "info first"], ["at_exit"]):
            program = run(self, "t_do", *script)
            self.assertIn("logged by an exit handler", program.err.text(), script)

    def test_flush_and_then_a_kill(self):
        for _ in range(runs(10)):
            program = run(self, "t_do", "many 500 own", "flush", f"raise {int(signal.SIGKILL)}", code=-signal.SIGKILL)
            self.assertIn("flush true lost=0\n", program.out.text())
            check_numbered(self, program.err.text(), {"own/0": 500})


class ShoutTogether(unittest.TestCase):
    def shout(self, records, **variables):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log")
            program = run(self, "t_spawn", "environ", str(CHILDREN), str(PARENT_THREADS), str(records), binary("t_log_many"), "1", str(records),
                          "child%", env=clean_environment(T_OUT=folder, DLOG_FILE=path, **variables))
            expected = {f"child{i}/0": records for i in range(CHILDREN)} | {f"parent/{i}": records for i in range(PARENT_THREADS)}
            with open(path, encoding="utf-8") as file:
                written = file.read()
            for text in (program.err.text(), written):
                rest = check_numbered(self, text, expected)
                self.assertEqual([line.split("]: ")[1] for line in rest], ["before the children", "after the children"])
            for i in range(CHILDREN):
                for stream in ("out", "err"):
                    self.assertEqual(os.path.getsize(os.path.join(folder, f"{i}.{stream}")), 0)

    def test_children_and_threads(self):
        # A machine that stops for a second must not fail the test: a call then waits longer for room than it would by default.
        self.shout(100_000 if FULL else scaled(10_000), **({} if FULL else {"DLOG_BLOCK_LIMIT_MS": "60000"}))

    def test_programs_that_share_a_file(self):
        count = scaled(10000)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log")
            programs = [Program(self, "t_log_many", "2", str(count), f"own{i}", env=clean_environment(DLOG_FILE=path, DLOG_BLOCK_LIMIT_MS="60000"))
                        for i in range(4)]
            for program in programs:
                self.assertEqual(program.wait(), 0)
            with open(path, encoding="utf-8") as file:
                check_numbered(self, file.read(), {f"own{i}/{thread}": count for i in range(4) for thread in range(2)})

    def test_a_small_queue(self):
        self.shout(scaled(2000), DLOG_QUEUE_BYTES="65536", DLOG_BLOCK_LIMIT_MS="60000")

    def test_threads_whose_first_calls_meet(self):
        for _ in range(runs(100)):
            program = run(self, "t_log_many", "8", "20", "own")
            self.assertEqual(check_numbered(self, program.err.text(), {f"own/{i}": 20 for i in range(8)}), [])

    def test_many_threads_of_one_program(self):
        count = scaled(5000)
        program = run(self, "t_log_many", "8", str(count), "own", env=clean_environment(DLOG_BLOCK_LIMIT_MS="60000"))
        self.assertEqual(check_numbered(self, program.err.text(), {f"own/{i}": count for i in range(8)}), [])


if __name__ == "__main__":
    main()
