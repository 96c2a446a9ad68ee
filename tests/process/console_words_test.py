"""The words on a console that is a pipe or a file: fields, levels, names, times, files, and dlog's own remarks."""
import datetime
import os
import re
import shutil
import tempfile
import unittest
import zoneinfo

from seed import Client, log_frame
from support import LEVELS, Console, binary, clean_environment, main, messages, notices, plain_lines, run
from terminal import control_bytes

EACH_LEVEL = ("trace one", "debug two", "info three", "warn four", "error five", "fatal six")
WORDS = ["one", "two", "three", "four", "five", "six"]


class PlainLines(unittest.TestCase):
    def test_every_level_has_its_three_letters(self):
        program = run(self, "t_do", *EACH_LEVEL)
        lines = plain_lines(self, program.err.text())
        self.assertEqual([(line.level, line.message) for line in lines if line.name != "dlog"], list(zip(LEVELS, WORDS)))

    def test_a_line_names_the_program_and_its_pid(self):
        program = run(self, "t_do", "info hello")
        line = plain_lines(self, program.err.text())[-1]
        self.assertEqual((line.name, line.pid, line.message), ("t_do", program.pid, "hello"))

    def test_nothing_goes_to_stdout(self):
        self.assertEqual(run(self, "t_do", *EACH_LEVEL, "bar a 3 Bar", "push a 3", "done a").out.bytes(), b"")

    def test_name_by_environment(self):
        program = run(self, "t_do", "info hello", env=clean_environment(DLOG_NAME="compiler"))
        self.assertEqual(plain_lines(self, program.err.text())[-1].name, "compiler")

    def test_a_hostile_file_name_is_escaped(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a\x1b]0;b\x07\n2026-01-01 00:00:00.000 INF bank[1]: paid")
            shutil.copy(binary("t_do"), path)
            program = run(self, path, "info hello")
        self.assertEqual(control_bytes(program.err.bytes()), [])
        self.assertEqual(program.err.text().count("\n"), 1)

    def test_a_hostile_name_is_escaped(self):
        program = run(self, "t_do", "info hello", env=clean_environment(DLOG_NAME="a\x1b]0;b\x07\nc"))
        self.assertEqual(control_bytes(program.err.bytes()), [])
        self.assertEqual(program.err.text().count("\n"), 1)

    def test_time_is_local(self):
        for zone in ("Asia/Kathmandu", "America/Caracas"):
            program = run(self, "t_do", "info hello", env=clean_environment(TZ=zone))
            stamp = datetime.datetime.strptime(plain_lines(self, program.err.text())[-1].stamp, "%Y-%m-%d %H:%M:%S.%f")
            now = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
            self.assertLess(abs(now - stamp), datetime.timedelta(minutes=5))

    def test_continuation_lines_are_indented(self):
        forged = "2026-01-01 00:00:00.000 INF bank[1]: paid"
        program = run(self, "t_do", f"info first\n{forged}\nthird", f"text warn alone\n{forged}")
        lines = [line for line in plain_lines(self, program.err.text()) if line.name == "t_do"]
        self.assertEqual(len(lines), 2, lines)
        for line in lines:
            self.assertIn(forged, " ".join(line.more))

    def test_no_control_byte_but_the_newline(self):
        everything = "".join(chr(c) for c in [*range(1, 32), 127, *range(0x80, 0xa0)])
        program = run(self, "t_do", f"info {everything}", f"text info {everything}")
        self.assertEqual(control_bytes(program.err.bytes()), [])

    def test_bytes_that_are_not_utf8(self):
        program = run(self, "t_do", b"info a\xff\xc3(b\xed\xa0\x80c\xf5", "info after")
        program.err.bytes().decode("utf-8")  # strict
        self.assertEqual(messages(plain_lines(self, program.err.text()))[-1], "after")

    def test_an_empty_message_is_a_record(self):
        lines = plain_lines(self, run(self, "t_do", "info ", "text info ", "view ").err.text())
        self.assertEqual(messages(lines), ["", "", ""])

    def test_a_child_of_the_seed_is_named_by_its_port(self):
        console = Console(self, "info here")
        child = Client(self, console.port)
        child.send(log_frame("there", level=3))
        console.err.wait("there")
        lines = plain_lines(self, console.close())
        line = next(line for line in lines if line.message == "there")
        self.assertEqual((line.level, line.name, line.pid, line.stamp), ("WRN", "child", child.port, "2026-11-21 04:16:40.727"))


class Levels(unittest.TestCase):
    def shown(self, value, *before):
        program = run(self, "t_do", *before, *EACH_LEVEL, env=clean_environment(DLOG_LEVEL=value))
        return plain_lines(self, program.err.text())

    def test_any_case(self):
        for value, first in (("trace", 0), ("DEBUG", 1), ("Info", 2), ("wArN", 3), ("ERROR", 4), ("fatal", 5)):
            self.assertEqual(messages(self.shown(value)), WORDS[first:], value)

    def test_a_misspelt_level_is_one_warning_and_the_default(self):
        for value in ("verbose", "INFO ", "7", "warnn", "\x1b[2Jinfo"):
            lines = self.shown(value)
            self.assertEqual(messages(lines), WORDS)
            self.assertEqual(len(notices(lines)), 1, lines)
            self.assertIn(value.replace("\x1b", "\\x1b").strip(), notices(lines)[0].message)
            self.assertEqual(notices(lines)[0].message.count("\x1b"), 0)

    def test_the_environment_wins_over_the_program(self):
        self.assertEqual(messages(self.shown("warn", "init level=trace")), WORDS[3:])
        self.assertEqual(messages(self.shown("trace", "init level=error")), WORDS)

    def test_the_program_decides_where_the_environment_is_silent(self):
        program = run(self, "t_do", "init level=error", *EACH_LEVEL)
        self.assertEqual(messages(plain_lines(self, program.err.text())), WORDS[4:])

    def test_set_level(self):
        program = run(self, "t_do", "set_level warn", "level", "info hidden", "warn shown", "set_level trace", "trace again", "level",
                      "set_level off", "fatal gone")
        self.assertEqual(messages(plain_lines(self, program.err.text())), ["shown", "again"])
        self.assertEqual(program.out.text(), "level warn\nlevel trace\n")

    def test_the_parent_filters_its_children_again(self):
        console = Console(self, env=clean_environment(DLOG_LEVEL="warn"))
        child = Client(self, console.port)
        for level, word in enumerate(WORDS):
            child.send(log_frame(word, level=level))
        console.err.wait("six")
        self.assertEqual(messages(plain_lines(self, console.close())), WORDS[3:])

    def test_a_child_filters_by_its_own_level(self):
        console = Console(self)
        run(self, "t_do", *EACH_LEVEL, env=clean_environment(DLOG_PIPE=console.address, DLOG_LEVEL="error"))
        console.err.wait("six")
        self.assertEqual(messages(plain_lines(self, console.close())), WORDS[4:])


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "log")

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def test_a_file_gets_the_same_lines_and_is_appended_to(self):
        first = run(self, "t_do", *EACH_LEVEL, "info more\nlines", env=clean_environment(DLOG_FILE=self.path))
        self.assertEqual(self.read(), first.err.text())
        second = run(self, "t_do", "info later", env=clean_environment(DLOG_FILE=self.path))
        self.assertEqual(self.read(), first.err.text() + second.err.text())

    def test_a_file_by_the_program(self):
        run(self, "t_do", f"init file={self.path}", "info kept")
        self.assertEqual(messages(plain_lines(self, self.read())), ["kept"])

    def test_a_file_is_plain_whatever_the_console_is(self):
        run(self, "t_do", "info kept", env=clean_environment(DLOG_FILE=self.path, DLOG_FORMAT="json"))
        self.assertEqual(messages(plain_lines(self, self.read())), ["kept"])

    def test_a_file_holds_the_children_too(self):
        console = Console(self, env=clean_environment(DLOG_FILE=self.path))
        run(self, "t_do", "info from a child", env=clean_environment(DLOG_PIPE=console.address))
        console.close()
        self.assertIn("from a child", messages(plain_lines(self, self.read())))

    def test_a_file_that_cannot_be_opened_is_told_once(self):
        program = run(self, "t_do", "info one", "info two", env=clean_environment(DLOG_FILE="/proc/no/such/folder/log"))
        lines = plain_lines(self, program.err.text())
        self.assertEqual(messages(lines), ["one", "two"])
        told = [line for line in lines if line.name == "dlog" and "/proc/no/such/folder/log" in line.message]
        self.assertEqual(len(told), 1, lines)

    def test_a_full_file_does_not_hurt_the_console(self):
        program = run(self, "t_do", *[f"info line {i}" for i in range(50)], env=clean_environment(DLOG_FILE="/dev/full"))
        lines = plain_lines(self, program.err.text())
        self.assertEqual(messages(lines), [f"line {i}" for i in range(50)])


class Remarks(unittest.TestCase):
    def test_a_second_init_says_so_at_debug_level(self):
        program = run(self, "t_do", "init name=first", "init name=second", "info hello")
        lines = plain_lines(self, program.err.text())
        self.assertEqual(program.out.text(), "init true\ninit false\n")
        self.assertEqual(len(notices(lines, "DBG")), 1, lines)
        self.assertEqual(notices(lines, "DBG")[0].pid, program.pid)
        self.assertEqual([line.name for line in lines if line.message == "hello"], ["first"])

    def test_silence_where_all_is_well(self):
        for program in (run(self, "t_do", "info hello"), run(self, "t_do", "init", "info hello", "flush", "finish")):
            self.assertEqual([line.message for line in plain_lines(self, program.err.text())], ["hello"])

    def test_a_program_that_never_logs_shows_nothing(self):
        self.assertEqual(run(self, "t_do").err.bytes(), b"")

    def test_good_settings_need_no_remark(self):
        for name, values in {"DLOG_FORMAT": ("plain", "AUTO"), "DLOG_PROGRESS": ("auto", "none", "plain", "json"), "DLOG_QUEUE_BYTES": ("100000", "1M"),
                             "DLOG_OVERFLOW": ("block", "DROP"), "DLOG_BLOCK_LIMIT_MS": ("0", "500"), "DLOG_FLUSH_ON": ("trace", "off"),
                             "DLOG_LISTEN": ("true", "FALSE", "1", "0"), "DLOG_OUTPUT_FD": ("2",), "DLOG_TRUST": ("same_user", "open"),
                             "DLOG_HANDLE_SIGNALS": ("true",), "DLOG_FILE": ("",), "DLOG_NAME": ("",)}.items():
            for value in values:
                lines = plain_lines(self, run(self, "t_do", "info hello", env=clean_environment(**{name: value})).err.text())
                self.assertEqual([(line.name, line.message) for line in lines], [("t_do", "hello")], (name, value))

    def test_the_console_on_another_descriptor(self):
        program = run(self, "t_do", "info hello", env=clean_environment(DLOG_OUTPUT_FD="1"))
        self.assertEqual(messages(plain_lines(self, program.out.text())), ["hello"])
        self.assertEqual(program.err.bytes(), b"")

    def test_faulty_settings_are_one_warning_each(self):
        for name, value in (("DLOG_FORMAT", "xml"), ("DLOG_PROGRESS", "sometimes"), ("DLOG_QUEUE_BYTES", "lots"),
                            ("DLOG_OVERFLOW", "panic"), ("DLOG_BLOCK_LIMIT_MS", "-3"), ("DLOG_FLUSH_ON", "loudly"),
                            ("DLOG_LISTEN", "perhaps"), ("DLOG_OUTPUT_FD", "stderr"), ("DLOG_TRUST", "everyone")):
            lines = plain_lines(self, run(self, "t_do", "info hello", env=clean_environment(**{name: value})).err.text())
            self.assertEqual(messages(lines), ["hello"])
            self.assertEqual(len(notices(lines)), 1, (name, lines))
            self.assertRegex(notices(lines)[0].message, re.escape(name))
            self.assertIn(value, notices(lines)[0].message)


if __name__ == "__main__":
    main()
