"""What a program sees of dlog: flush, stats, sinks, long and faulty messages, and consoles that are closed, full or broken."""
import os
import re
import subprocess
import tempfile
import unittest

from seed import Client, Listener, log_frame
from support import (DEADLINE, Collector, Console, Program, binary, check_numbered, clean_environment, main, messages, notices, plain_lines,
                     run)
from terminal import control_bytes


def stats(program):
    return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", program.answer("stats"))}


class Answers(unittest.TestCase):
    def test_role(self):
        listener = Listener(self)
        self.assertEqual(run(self, "t_do", "role").out.text(), "role aggregator\n")
        self.assertEqual(run(self, "t_do", "role", env=clean_environment(DLOG_PIPE=listener.address)).out.text(), "role child\n")

    def test_level(self):
        self.assertEqual(run(self, "t_do", "level", "init level=error", "level").out.text(), "level trace\ninit true\nlevel error\n")
        self.assertEqual(run(self, "t_do", "level", "info x", "level", env=clean_environment(DLOG_LEVEL="Warn")).out.text(), "level warn\n" * 2)

    def test_flush_means_written(self):
        program = Program(self, "t_do", "many 2000 own", "flush", "wait")
        self.assertEqual(program.answer("flush"), "true lost=0")
        # The pipe's reader may be behind; what is written is there without any further work of the program.
        program.err.wait("rec own/0 1999 ")
        check_numbered(self, program.err.text(), {"own/0": 2000})
        self.assertEqual(program.wait(), 0)

    def test_flush_before_anything(self):
        self.assertEqual(run(self, "t_do", "flush", "finish", "flush").out.text(), "flush true lost=0\n" * 2)

    def test_finish_and_on(self):
        program = run(self, "t_do", "info one", "finish", "info two", "finish", "finish", "info three")
        self.assertEqual(messages(plain_lines(self, program.err.text())), ["one", "two", "three"])

    def test_stats(self):
        before = run(self, "t_do", "stats")
        self.assertEqual(set(stats(before).values()), {0})
        program = run(self, "t_do", "set_level info", "many 100 own", "debug hidden", "warn shown", "flush", "stats")
        self.assertEqual(stats(program), {"enqueued": 101, "shown": 101, "dropped": 0, "undeliverable": 0, "children": 0, "refused": 0})

    def test_stats_count_children(self):
        console = Program(self, "t_do", "info up", "address", "wait", "flush", "stats")
        port = int(console.answer("address").rsplit(":")[1])
        clients = [Client(self, port) for _ in range(3)]
        for i, client in enumerate(clients):
            client.send(log_frame(f"client {i}."))
            console.err.wait(f"client {i}\\.")
        self.assertEqual(console.wait(), 0)
        self.assertEqual(stats(console)["children"], 3)

    def test_stats_of_a_child(self):
        listener = Listener(self)
        program = run(self, "t_do", "many 100 own", "flush", "stats", env=clean_environment(DLOG_PIPE=listener.address))
        self.assertEqual((stats(program)["enqueued"], stats(program)["shown"]), (100, 100))

    def test_sigpipe_is_left_alone(self):
        for shell, word in (("exec", "default"), ("trap '' PIPE; exec", "ignored")):
            command = f"{shell} {binary('t_do')} sigpipe 'info x' flush sigpipe"
            program = run(self, "/bin/sh", "-c", command, restore_signals=True)
            self.assertEqual(re.findall(r"sigpipe (\w+)", program.out.text()), [word, word])


class Sinks(unittest.TestCase):
    def test_a_sink_gets_every_event(self):
        program = run(self, "t_sink", env=clean_environment(DLOG_LEVEL="info"))
        said = program.out.text().split("\n")
        records = [line for line in said if line.startswith("sink record")]
        own = f"name=t_sink id=0 pid={program.pid} time=1 line=1 file=t_sink.cpp"
        self.assertEqual(records, [f"sink record level=2 {own} message=first 1", f"sink record level=4 {own} message=second"])
        bars = [line for line in said if line.startswith("sink bar")]
        self.assertIn("created=1", bars[0])
        self.assertEqual(bars[-1], "sink bar state=1 created=0 value=10 total=10 description=Sinking" if len(bars) > 1 else bars[-1])
        self.assertTrue(bars[-1].startswith("sink bar state=1 "))
        self.assertIn("sink flush", said)
        self.assertLess(said.index(records[1]), len(said) - 1 - said[::-1].index("sink flush"), "a flush comes after the last record")
        self.assertEqual([line.message for line in plain_lines(self, program.err.text()) if "Sinking" not in line.message], ["first 1", "second"])

    def test_a_sink_gets_the_children_too(self):
        program = Program(self, "t_sink", "wait")
        child = Client(self, int(program.answer("address").rsplit(":")[1]))
        child.send(log_frame("from a child", level=3) + log_frame("odd", level=9))
        program.out.wait(r"sink record level=3 name=child id=[1-9]\d* pid=0 time=1 line=0 file= message=from a child$")
        program.out.wait(r"sink record level=5 name=child .*message=odd$")
        child.close()
        self.assertEqual(program.wait(), 0)

    def test_a_sink_that_throws_is_told_once_and_harms_nobody(self):
        program = run(self, "t_sink", "throw")
        lines = plain_lines(self, program.err.text())
        told = [line for line in lines if line.name == "dlog"]
        self.assertEqual(len([line for line in told if "full of holes" in line.message]), 1, lines)
        self.assertEqual([m for m in messages(lines) if "Sinking" not in m], ["first 1", "below the level", "second"])
        self.assertIn("message=second", program.out.text())
        self.assertIn("flushed 1", program.out.text())


class Messages(unittest.TestCase):
    def test_whatever_fmt_can_format(self):
        program = run(self, "t_format")
        shown = messages(plain_lines(self, program.err.text()))
        for text in ("numbers -9223372036854775808 18446744073709551615 1.500 0xff     42|", "small true c -5", "enum 3", "point <1;2>",
                     "texts as it was as it was as it was", "width ***mid***", "braces {} {{ stay }}", "view {0}", "escaped {}"):
            self.assertIn(text, shown)
        self.assertEqual(shown[-1], "the end")
        self.assertNotIn("CHANGED", program.err.text())

    def test_format_errors_show_the_raw_string_and_the_reason(self):
        text = run(self, "t_format").err.text()
        self.assertRegex(text, r"before \{\} after.*the formatter fell over")
        self.assertRegex(text, r"precision \{:\.\{\}f\} of bad.*\w+")

    def test_the_same_in_a_child(self):
        console = Console(self)
        child = run(self, "t_format", env=clean_environment(DLOG_PIPE=console.address))
        self.assertEqual((child.out.bytes(), child.err.bytes()), (b"", b""))
        text = console.close()
        self.assertRegex(text, r"before \{\} after.*the formatter fell over")
        self.assertIn("braces {} {{ stay }}\n", text)

    def test_braces_in_text(self):
        program = run(self, "t_do", "text info {} {0} {bad {{", "view {} }{", "info {} %s %n")
        self.assertEqual(messages(plain_lines(self, program.err.text())), ["{} {0} {bad {{", "{} }{", "{} %s %n"])

    def test_long_messages(self):
        for size in (1 << 10, 1 << 16, (1 << 20) - 1, 1 << 20):
            program = run(self, "t_do", f"big {size} a", "info after")
            self.assertEqual(messages(plain_lines(self, program.err.text())), ["a" * size, "after"])

    def test_messages_over_the_limit_are_cut_visibly(self):
        for script in ("big 1048577 a", "big 20000000 a"):
            lines = plain_lines(self, run(self, "t_do", script, "info after").err.text())
            whole = lines[0].message + "".join(lines[0].more)
            self.assertTrue(whole.startswith("a" * 1_000_000))
            self.assertLess(len(whole), (1 << 20) + 1000)
            self.assertTrue(whole.strip("a"), "the cut is told")
            self.assertEqual(messages(lines)[-1], "after")

    def test_a_cut_leaves_whole_characters(self):
        program = run(self, "t_do", "big 1048575 a", "info after")
        self.assertNotIn("\\x", program.err.text())


class BadConsoles(unittest.TestCase):
    def shell(self, redirection, *script, **variables):
        return run(self, "/bin/sh", "-c", f'exec "$@" {redirection}', "sh", binary("t_do"), *script, "say done", env=clean_environment(**variables))

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "log")

    def test_a_closed_stderr(self):
        program = self.shell("2>&-", "many 1000 own", "bar a 5 Bar", "done a", "flush", "stats")
        self.assertTrue(program.out.text().endswith("done\n"))
        numbers = stats(program)
        self.assertEqual(numbers["enqueued"], numbers["shown"] + numbers["dropped"] + numbers["undeliverable"])

    def test_all_three_closed(self):
        run(self, "/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", binary("t_do"), "many 1000 own", "flush",
            env=clean_environment(DLOG_FILE=self.path))
        with open(self.path, encoding="utf-8") as file:
            check_numbered(self, file.read(), {"own/0": 1000})

    def test_a_file_beside_a_closed_stderr_has_every_record_once(self):
        self.shell("2>&-", "many 1000 own", "flush", DLOG_FILE=self.path)
        with open(self.path, encoding="utf-8") as file:
            check_numbered(self, file.read(), {"own/0": 1000})

    def test_a_closed_stderr_does_not_land_in_a_socket(self):
        listener = Listener(self)
        child = self.shell("2>&-", "many 100 own", DLOG_PIPE=listener.address)
        self.assertEqual(child.out.text(), "done\n")
        self.assertEqual(len(re.findall(b"rec own/0", listener.all(self))), 100)
        self.assertNotIn(b" INF ", bytes(listener.connections[0]))

    def test_a_full_device(self):
        program = self.shell("2>/dev/full", "many 1000 own", "flush", "stats", DLOG_FILE=self.path)
        numbers = stats(program)
        self.assertEqual(numbers["enqueued"], 1000)
        self.assertEqual(numbers["enqueued"], numbers["shown"] + numbers["dropped"] + numbers["undeliverable"])
        with open(self.path, encoding="utf-8") as file:
            check_numbered(self, "\n".join(line for line in file.read().split("\n") if "dlog[" not in line), {"own/0": 1000})

    def test_a_pipe_that_nobody_reads_any_more(self):
        read, write = os.pipe()
        os.close(read)
        program = subprocess.run([binary("t_do"), "many 1000 own", "flush", "sigpipe", "say done"], env=clean_environment(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=write, timeout=DEADLINE, check=False)
        os.close(write)
        self.assertEqual((program.returncode, program.stdout.split(b"\n")[1:]), (0, [b"sigpipe default", b"done", b""]))

    def test_a_console_that_does_not_move(self):
        """Dropped records are counted and told; what is left is whole and in order."""
        read, write = os.pipe()
        program = subprocess.Popen([binary("t_do"), "many 30000 own", "stats", "wait", "flush", "stats"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=write,
                                   env=clean_environment(DLOG_OVERFLOW="drop", DLOG_QUEUE_BYTES="65536"))
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        os.close(write)
        first = program.stdout.readline().decode()
        self.assertGreater(int(re.search(r"dropped=(\d+)", first)[1]), 0)
        err = Collector(read)
        out, _ = program.communicate(b"\n", timeout=DEADLINE)
        self.assertEqual(program.returncode, 0)
        lines = plain_lines(self, err.finish().decode())
        last = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", out.decode().strip().split("\n")[-1])}
        shown = [int(line.message.split()[2]) for line in lines if line.message.startswith("rec own/0")]
        self.assertEqual(shown, sorted(set(shown)))
        self.assertEqual((last["enqueued"], last["shown"]), (30000, len(shown)))
        self.assertEqual(last["dropped"] + last["undeliverable"], 30000 - len(shown))
        told = [int(n) for line in notices(lines) for n in re.findall(r"\b(\d+) records?\b", line.message)]
        self.assertEqual(sum(told), 30000 - len(shown), notices(lines))

    def test_another_descriptor(self):
        program = run(self, "t_do", "init output_fd=1", "info on stdout")
        self.assertEqual(program.err.bytes(), b"")
        self.assertIn("]: on stdout\n", program.out.text())
        self.assertEqual(control_bytes(program.out.bytes()), [])

    def test_stderr_as_a_file_is_not_overwritten(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("what was there\n")
        self.shell(f"2>>{self.path}", "info appended")
        self.shell(f"2>>{self.path}", "info again")
        with open(self.path, encoding="utf-8") as file:
            self.assertRegex(file.read(), r"^what was there\n.*\]: appended\n.*\]: again\n$")

    def test_the_flags_of_stderr_are_left_alone(self):
        command = '"$0" "$@"; cat /proc/self/fdinfo/2'
        flags = []
        for script in (["say silent"], ["info loud", "flush"]):
            out = run(self, "/bin/sh", "-c", command, binary("t_do"), *script).out.text()
            flags.append(re.search(r"flags:\s*(\d+)", out)[1])
        self.assertEqual(flags[0], flags[1])


if __name__ == "__main__":
    main()
