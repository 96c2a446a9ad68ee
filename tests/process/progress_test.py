"""Progress bars where the console is no terminal: a line at the start and at the end, the seed's simple mode, and no bars at all."""
import unittest

from seed import Client, create_frame, finish_frame, log_frame, push_frame
from support import PLAIN, Console, clean_environment, main, messages, plain_lines, run
from terminal import control_bytes

SCENE = ("info before", "bar a 200 Reading", "push a 100", "info amid", "push a 200", "done a", "info after")


def of(lines, description):
    return [line for line in lines if description in line.message]


class PlainBars(unittest.TestCase):
    def test_start_and_end_in_order(self):
        program = run(self, "t_do", *SCENE)
        self.assertEqual(control_bytes(program.err.bytes()), [])
        lines = plain_lines(self, program.err.text())
        words = ["bar" if "Reading" in message else message for message in messages(lines)]
        self.assertEqual(words, ["before", "bar", "amid", "bar", "after"])
        self.assertIn("finished", of(lines, "Reading")[-1].message)
        self.assertIn("200", of(lines, "Reading")[-1].message)

    def test_every_end_has_its_word(self):
        for verb, word in (("done a", "finished"), ("fail a no disk", "failed"), ("abandon a", "abandoned")):
            lines = plain_lines(self, run(self, "t_do", "bar a 200 Reading", "push a 7", verb).err.text())
            self.assertEqual(len([line for line in of(lines, "Reading") if word in line.message]), 1, lines)
            if "no disk" in verb:
                self.assertIn("no disk", of(lines, "Reading")[-1].message)

    def test_destroyed_bars(self):
        for pushed, total, word in ((7, 200, "abandoned"), (200, 200, "finished"), (7, 0, "finished")):
            lines = plain_lines(self, run(self, "t_do", f"bar a {total} Reading", f"push a {pushed}", "drop a", "info after").err.text())
            self.assertIn(word, of(lines, "Reading")[-1].message)

    def test_a_cleared_bar_has_no_end(self):
        lines = plain_lines(self, run(self, "t_do", "bar a 200 Reading", "push a 7", "clear a", "info after").err.text())
        for line in of(lines, "Reading"):
            self.assertNotRegex(line.message, "finished|failed|abandoned|cleared")

    def test_a_thousand_pushes_are_few_lines(self):
        script = [f"push a {i}" for i in range(1, 1001)]
        lines = plain_lines(self, run(self, "t_do", "bar a 1000 Reading", *script, "done a").err.text())
        self.assertLess(len(of(lines, "Reading")), 10)

    def test_what_comes_after_the_end_has_no_effect(self):
        lines = plain_lines(self, run(self, "t_do", "bar a 10 Reading", "done a", "push a 3", "fail a late", "abandon a", "drop a").err.text())
        self.assertNotIn("late", str(lines))
        self.assertEqual(len([line for line in of(lines, "Reading") if "finished" in line.message]), 1)

    def test_total_and_message(self):
        lines = plain_lines(self, run(self, "t_do", "bar a 10 Reading", "total a 77", "message a part 3", "push a 77", "done a").err.text())
        self.assertIn("77", of(lines, "Reading")[-1].message)

    def test_a_childs_bar(self):
        console = Console(self)
        run(self, "t_do", *SCENE, env=clean_environment(DLOG_PIPE=console.address))
        console.err.wait("after")
        lines = [line for line in plain_lines(self, console.close()) if line.name == "child"]
        self.assertEqual(["bar" if "Reading" in line.message else line.message for line in lines], ["before", "bar", "amid", "bar", "after"])
        self.assertIn("finished", of(lines, "Reading")[-1].message)

    def test_an_orphan_of_a_killed_child(self):
        console = Console(self)
        child = run(self, "t_do", "bar a 10 Reading", "push a 3", "info up", "flush", "abort", code=-6,
                    env=clean_environment(DLOG_PIPE=console.address))
        self.assertEqual(child.out.text(), "flush true lost=0\n")
        console.err.wait("Reading.*(orphaned|abandoned)")
        console.close()


class SimpleBars(unittest.TestCase):
    SIMPLE = {"DLOG_SIMPLE": "true"}

    def bar_lines(self, text):
        """Lines of the simple console that are no records."""
        return [line for line in text.split("\n") if line and not PLAIN.fullmatch(line)]

    def test_one_line_for_a_bar(self):
        program = run(self, "t_do", *SCENE, env=clean_environment(**self.SIMPLE))
        lines = program.err.text().split("\n")[:-1]
        self.assertEqual([line for line in lines if "Reading" in line], ["Progress completed: Reading (200)"])
        self.assertEqual([PLAIN.fullmatch(line)["message"] for line in lines if "Reading" not in line], ["before", "amid", "after"])
        self.assertEqual(lines.index("Progress completed: Reading (200)"), 2)

    def test_format_simple_is_the_same(self):
        for options in ({"env": clean_environment(DLOG_FORMAT="simple")}, {"env": clean_environment(**self.SIMPLE, TERM="dumb")}):
            self.assertEqual(self.bar_lines(run(self, "t_do", *SCENE, **options).err.text()), ["Progress completed: Reading (200)"])
        program = run(self, "t_do", "init format=simple", *SCENE)
        self.assertEqual(self.bar_lines(program.err.text()), ["Progress completed: Reading (200)"])

    def test_a_seed_childs_bar(self):
        console = Console(self, env=clean_environment(**self.SIMPLE))
        child = Client(self, console.port)
        child.send(create_frame(1, "Reading", 42) + push_frame(1, 42) + finish_frame(1) + log_frame("later"))
        console.err.wait("later")
        self.assertEqual(self.bar_lines(console.close()), ["Progress completed: Reading (42)"])


class NoBars(unittest.TestCase):
    def test_records_only(self):
        for variables in ({"DLOG_NO_PROGRESS": "true"}, {"DLOG_PROGRESS": "none"}, {"DLOG_NO_PROGRESS": "true", "DLOG_SIMPLE": "true"}):
            lines = plain_lines(self, run(self, "t_do", *SCENE, env=clean_environment(**variables)).err.text())
            self.assertEqual(messages(lines), ["before", "amid", "after"], variables)

    def test_children_too(self):
        console = Console(self, env=clean_environment(DLOG_NO_PROGRESS="true"))
        child = Client(self, console.port)
        child.send(create_frame(1, "Reading", 42) + push_frame(1, 42) + finish_frame(1) + create_frame(2, "Left", 5) + log_frame("later"))
        child.close()
        console.err.wait("later")
        self.assertEqual(messages(plain_lines(self, console.close())), ["later"])

    def test_false_means_bars(self):
        lines = plain_lines(self, run(self, "t_do", *SCENE, env=clean_environment(DLOG_NO_PROGRESS="false", DLOG_SIMPLE="false")).err.text())
        self.assertTrue(of(lines, "Reading"))


if __name__ == "__main__":
    main()
