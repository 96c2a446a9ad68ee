"""The life of dlog in a process: from before main to the last destructor, plug-ins and two dlogs in one process, exec, daemons."""
# ctest: timeout=300
import os
import re
import tempfile
import time
import unittest

import extension
from kernel import context_switches, listening_ports, threads
from support import (PLAIN, Program, binary, check_numbered, clean_environment, main, messages, notices, plain_lines, run, runs,
                     sanitizer, scaled, until, with_sanitizer_options)

BEFORE = ["constructor", "thread before main", "early thread's thread_local", "main", "middle thread", "middle thread's thread_local",
          "after finish", "late thread"]
AFTER = ["handler from main", "destructor", "late thread's thread_local", "late thread's first key", "late thread's second key",
         "end of the destructor", "handler from before the first call"]
LIFE = {
    "return": [*BEFORE, "main's thread_local", *AFTER],
    "exit": [*BEFORE, "main's thread_local", *AFTER],
    "thread": [*BEFORE, "ending thread's thread_local", *AFTER],
    "quick_exit": [*BEFORE, "quick handler from main", "quick handler from before the first call"],
}


def records(case, text):
    """The messages of all records, dlog's own warnings among them, as "notice: ..."."""
    return [line.message if line.name != "dlog" else f"notice: {line.message}" for line in plain_lines(case, text)
            if line.name != "dlog" or line.level != "DBG"]


def environment(**variables):
    """The sanitizers' leaks and threads of a process that came of fork() alone are not what these tests are about."""
    return with_sanitizer_options(clean_environment(**variables), detect_leaks=0, die_after_fork=0)


class Family(unittest.TestCase):
    """Each program is run alone, as a child of a dlog, and as a child of something that speaks the seed protocol only."""

    def alone(self, *command, **variables):
        self.program = run(self, *command, env=environment(**variables))
        return self.program.err.text()

    def under_dlog(self, *command, **variables):
        return self.under(extension.OurConsole(self), *command, **variables)

    def under_seed(self, *command, **variables):
        return self.under(extension.OurConsole(self), *command, **variables, DLOG_PIPE_ID=None)

    def under(self, console, *command, **variables):
        self.program = run(self, *command, env=environment(**(console.variables | variables)))
        self.assertEqual(self.program.err.text(), "")
        return console.close()

    def each_place(self, check):
        for place in (self.alone, self.under_dlog, self.under_seed):
            with self.subTest(place=place.__name__):
                check(place)


class Stages(Family):
    def test_every_stage_is_shown_once_in_order(self):
        def check(place):
            for end, expected in LIFE.items():
                for _ in range(runs(5)):
                    self.assertEqual(records(self, place("t_life", end)), expected, end)

        self.each_place(check)

    def test_a_shared_library_speaks_first_and_last(self):
        def check(place):
            for end, expected in LIFE.items():
                last = [] if end == "quick_exit" else ["library's destructor"]
                self.assertEqual(records(self, place("t_life", end, T_LIFE_LIBRARY="1")), ["library's constructor", *expected, *last], end)

        self.each_place(check)

    def test_a_fork_before_main(self):
        child = ["forked before main", "handler from before the first call"]

        def check(place):
            lines = plain_lines(self, place("t_life", "return", T_LIFE_FORK="1"))
            self.assertEqual(sorted(messages(lines)), sorted(LIFE["return"] + child))
            self.assertEqual(notices(lines), [])
            if place != self.under_seed:  # it knows nobody's number
                forked = next(line.pid for line in lines if line.message == child[0])
                self.assertEqual([line.message for line in lines if line.pid == forked], child)
                self.assertEqual([line.message for line in lines if line.pid != forked], LIFE["return"])

        self.each_place(check)


class Detached(Family):
    def test_what_a_detached_thread_logged_before_the_exit_is_complete(self):
        def check(place):
            for end in ("return", "exit", "quick_exit"):
                text = place("t_detached", "3", end)
                logged = [int(number) for number in re.findall(r"^logged (\d+)$", self.program.out.text(), re.M)]
                shown = [len(re.findall(rf"\]: rec t/{thread} ", text)) for thread in range(3)]
                rest = check_numbered(self, text, {f"t/{thread}": count for thread, count in enumerate(shown)})
                self.assertEqual(len(logged), 3)
                self.assertTrue(all(seen >= count for seen, count in zip(shown, logged)), (shown, logged))
                self.assertEqual([PLAIN.fullmatch(line)["message"] for line in rest], [] if end == "quick_exit" else ["destructor"])

        self.each_place(check)


COPIES = ("t_copy_static.so", "t_copy_shared.so")
LEFT_ALONE = re.compile(r"the parent at \S+ is gone \(it closed the connection\); logging here")


class Copies(Family):
    """Two dlogs in one process: the program's, and a plug-in's own."""

    def each_copy(self, check):
        def of_place(place):
            for name in COPIES:
                with self.subTest(copy=name):
                    check(lambda *steps, **options: place("t_copies", binary(name), *steps, **options))

        self.each_place(of_place)

    def test_both_speak_on_one_console(self):
        def check(copies):
            for first, steps in (("main", ("main one", "load", "plug two")), ("plug", ("load", "plug two", "main one"))):
                for end in ("flush", "quick_exit", "roles"):
                    self.assertEqual(sorted(records(self, copies(*steps, end))), ["one", "two"], (first, end))

        self.each_copy(check)

    def test_the_second_is_believed_to_be_the_same_process(self):
        for name in COPIES:
            for steps, roles in ((("main one", "load", "plug two"), "main aggregator\nplug child\n"),
                                 (("load", "plug two", "main one"), "main child\nplug aggregator\n")):
                program = run(self, "t_copies", binary(name), *steps, "roles")
                self.assertEqual(program.out.text(), roles)
                lines = plain_lines(self, program.err.text())
                self.assertEqual({(line.name, line.pid) for line in lines}, {("t_copies", program.pid)})

    def test_nothing_is_lost_at_exit_whoever_leaves_first(self):
        count = scaled(2000, 100)
        expected = {f"{who}/{thread}": count for who in ("main", "plug") for thread in (0, 1)}

        def check(copies):
            for steps in (("main one", "load", "plug two"), ("load", "plug two", "main one")):
                for handlers in ((), ("handler main", "handler plug"), ("handler plug", "handler main")):
                    for end in ((), ("quick_exit",)):
                        text = copies(*handlers, *steps, *handlers, f"many {count}", *end, T_COPY_EARLY="1")
                        rest = [PLAIN.fullmatch(line)["message"] for line in check_numbered(self, text, expected)]
                        # The copy that leaves last may still have something to say, and then says why it does so here.
                        rest = [message for message in rest if not LEFT_ALONE.fullmatch(message)]
                        said = ["one", "two", "plug-in's constructor"]
                        if not end:
                            said += ["plug-in's destructor"] + 2 * ["handler of main", "handler of the plug-in"] * bool(handlers)
                        self.assertEqual(sorted(rest), sorted(said), (steps, handlers, end))

        self.each_copy(check)

    def test_forks(self):
        def check(copies):
            for steps in (("main one", "load", "plug two"), ("load", "plug two", "main one")):
                text = copies(*steps, "fork", "main three", "plug four")
                self.assertEqual(sorted(records(self, text)), ["four", "main of the fork", "one", "plug-in of the fork", "three", "two"])

        self.each_copy(check)

    def test_exec(self):
        def check(copies):
            for steps in (("main one", "load", "plug two"), ("load", "plug two", "main one")):
                text = copies(*steps, "flush", "exec three")
                self.assertEqual(sorted(messages(plain_lines(self, text))), ["one", "three", "three", "two"])

        self.each_copy(check)

    def test_a_plug_in_that_is_unloaded(self):
        def check(copies):
            for steps in (("main one", "load", "plug two"), ("load", "plug two", "main one")):
                text = copies(*steps, "bar", "plug three", "flush", "unload", "main four", "fork", "main five")
                stays = "plug-in stays" in self.program.out.text()
                if "t_copy_static" in " ".join(self.program.command):
                    self.assertTrue(stays, "it has a log thread, which would be left without its code")
                shown = [line for line in records(self, text) if "plug-in's bar" not in line]
                self.assertEqual(sorted(shown), sorted(["one", "two", "three", "four", "main of the fork", "five"] + ["plug-in of the fork"] * stays))
                self.assertEqual(len(re.findall("plug-in's bar: abandoned", text)), 1, text)

        self.each_copy(check)

    def test_a_thread_that_ends_after_its_plug_in_was_unloaded(self):
        def check(copies):
            text = copies("main one", "load", "hold", "unload", "main two", "release", "main three")
            self.assertEqual(sorted(records(self, text)), ["held", "one", "plug-in's thread_local", "three", "two"])

        self.each_copy(check)


class Execs(Family):
    """A program that replaces itself, with the DLOG_PIPE of its former life in its environment."""

    def test_what_was_flushed_is_shown_and_the_new_program_speaks(self):
        count = scaled(3000, 100)

        def check(place):
            text = place("t_do", f"many {count} own", "flush", f"exec many {count} again")
            self.assertIn("flush true", self.program.out.text())
            rest = check_numbered(self, text, {"own/0": count, "again/0": count})
            self.assertEqual([line for line in rest if " DBG dlog" not in line], [])

        self.each_place(check)

    def test_alone_it_listens_anew(self):
        program = run(self, "t_do", "info first", "address", "flush", "exec childenv")
        before, after = program.answer("address"), program.answer("childenv")
        self.assertRegex(after, r"^DLOG_PIPE=127\.0\.0\.1:\d+$")
        self.assertNotEqual(f"DLOG_PIPE={before}", after)
        lines = plain_lines(self, program.err.text())
        self.assertEqual(messages(lines), ["first"])
        self.assertEqual([line.message for line in notices(lines, "DBG")],
                         [f'DLOG_PIPE="{before}": it was this process\'s own, before exec; using the own console'])

    def test_a_child_connects_to_its_parent_anew(self):
        for seed in ({}, {"DLOG_PIPE_ID": None}):
            console = extension.OurConsole(self)
            program = run(self, "t_do", "info first", "flush", "exec role", env=environment(**(console.variables | seed)))
            self.assertEqual(program.out.text(), "flush true lost=0\nrole child\n")
            self.assertEqual(messages(plain_lines(self, console.close())), ["first"])

    def test_without_a_flush_nothing_hangs(self):
        def check(place):
            for _ in range(runs(10)):
                lines = plain_lines(self, place("t_do", "many 50 own", "exec info again"))
                own = [message for message in messages(lines) if message.startswith("rec own/0 ")]
                self.assertEqual([int(message.split()[2]) for message in own], list(range(len(own))), "what is shown has no gap")
                self.assertEqual(messages(lines)[-1], "again")

        self.each_place(check)


def has_ended(pid):
    """Also one that nobody has asked for yet: the first process of a container may take its time."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Daemons(Family):
    """The first process, which is the console, goes; the daemon that it leaves has no stderr, and logs to its file."""

    def daemon(self, how, when, count, **variables):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log")
            # A relative path means the folder that the first process was started in; the daemon leaves it.
            program = run(self, "t_daemon", how, when, str(count), cwd=folder, env=environment(**({"DLOG_FILE": "log"} | variables)))
            def read():
                with open(path, encoding="utf-8") as file:
                    return file.read()
            number = until(lambda: os.path.exists(path) and re.search(r"daemon (\d+)$", read(), re.M), "the daemon's first record")[1]
            until(lambda: has_ended(number), "the end of the daemon")
            return program, read()

    def test_it_logs_to_its_file_when_the_console_has_gone(self):
        count = scaled(2000, 100)
        for how in ("null", "closed", "daemon"):
            for when in ("after", "before"):
                with self.subTest(how=how, when=when):
                    program, text = self.daemon(how, when, count)
                    check_numbered(self, text, {"daemon/0": count})
                    for shown in (text, program.err.text()):
                        said = [line.message for line in plain_lines(self, shown) if line.message.startswith("first process")]
                        self.assertEqual(said, ["first process", "first process goes"])
                    if when == "before":  # as long as the first process was there, its console showed the daemon, too
                        check_numbered(self, program.err.text(), {"daemon/0": count // 2})

    def test_under_a_console_that_stays(self):
        count = scaled(2000, 100)
        for how in ("null", "closed", "daemon"):
            for when in ("after", "before"):
                for seed in ({}, {"DLOG_PIPE_ID": None}):
                    with self.subTest(how=how, when=when, seed=seed):
                        console = extension.OurConsole(self)
                        run(self, "t_daemon", how, when, str(count), env=environment(**(console.variables | seed)))
                        number = re.search(r"daemon (\d+)$", until(lambda: re.search(r"daemon (\d+)$", console.err.text(), re.M), "the daemon")[0])[1]
                        until(lambda: has_ended(number), "the end of the daemon")
                        check_numbered(self, console.close(), {"daemon/0": count})


def sleeps(pid, tasks):
    """Not once at work between two looks: it does not nap either."""
    before = context_switches(pid, tasks)
    time.sleep(0.3)
    return context_switches(pid, tasks) == before


@unittest.skipIf(sanitizer() == "thread", "the thread sanitizer has descriptors of its own, to be closed beneath it")
class ClosedBeneath(Family):
    """A program closes all descriptors that it finds, dlog's among them, and their numbers become its own files'."""

    def closes(self, how, first, count, **variables):
        program = Program(self, "t_closes", how, str(count), str(first), env=environment(**variables))
        program.out.wait("^closed$")
        return program

    def end(self, program):
        program.go()
        program.out.wait("^done$")
        said = program.out.text()
        program.go()
        self.assertEqual(program.wait(), 0)
        self.assertNotIn("harmed", said)
        self.assertIn("\nflushed\n", said)
        return program

    def each_way(self, check):
        for how in ("range", "loop", "idle") if sanitizer() else ("range", "loop", "idle", "fork"):
            for first in range(3):
                with self.subTest(how=how, first=first):
                    check(how, first)

    def test_alone(self):
        count = scaled(200, 100)

        def check(how, first):
            text = self.end(self.closes(how, first, count)).err.text()
            rest = "\n".join(check_numbered(self, text, {"closes/0": count}))
            if how != "fork":
                self.assertIn("this program closed the descriptors of dlog; children that start now keep their own consoles", rest)

        self.each_way(check)

    def test_with_a_file(self):
        count = scaled(200, 100)

        def check(how, first):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "log")
                program = self.end(self.closes(how, first, count, DLOG_FILE=path))
                check_numbered(self, program.err.text(), {"closes/0": count})
                with open(path, encoding="utf-8") as file:
                    check_numbered(self, file.read(), {"closes/0": count})

        self.each_way(check)

    def test_as_a_child(self):
        count = scaled(200, 100)

        def check(how, first):
            for seed in ({}, {"DLOG_PIPE_ID": None}):
                console = extension.OurConsole(self)
                program = self.end(self.closes(how, first, count, **(console.variables | seed)))
                own = program.err.text()
                theirs = console.close()
                shown = re.findall(r"\]: rec closes/0 (\d+) ", theirs)
                self.assertEqual([int(number) for number in shown], list(range(len(shown))))
                if how == "fork":
                    self.assertEqual((len(shown), own), (count, ""))
                    continue
                self.assertGreaterEqual(len(shown), count // 2)
                self.assertIn("is gone (this program closed the connection); logging here", own)
                again = [int(number) for number in re.findall(r"\]: rec closes/0 (\d+) ", own)]
                self.assertEqual(again, list(range(again[0], count)), "from what the parent may not have shown to the last")
                self.assertLessEqual(again[0], len(shown))

        self.each_way(check)

    def test_children_that_were_connected_go_on_by_themselves(self):
        program = Program(self, "t_closes", "waits", "10", "0")
        program.out.wait("^open$")
        port, = listening_ports(program.pid)
        child = Program(self, "t_do", "info early", "flush", "wait", "info late", env=environment(DLOG_PIPE=f"127.0.0.1:{port}"))
        child.out.wait("^waiting$")
        program.err.wait("early")
        program.go()
        program.out.wait("^closed$")
        child.go()
        self.assertEqual(child.wait(), 0)
        self.assertEqual(messages(plain_lines(self, child.err.text())), ["late"])
        check_numbered(self, self.end(program).err.text(), {"closes/0": 10})

    def test_it_does_not_spin(self):
        for seed in (None, {}, {"DLOG_PIPE_ID": None}):
            console = extension.OurConsole(self) if seed is not None else None
            program = self.closes("range", 0, 10, **(console.variables | seed if console else {}))
            program.go()
            program.out.wait("^done$")
            tasks = [task for task, name in threads(program.pid).items() if name.startswith("dlog")]
            self.assertEqual(len(tasks), 1)
            until(lambda: sleeps(program.pid, tasks), "the log thread sleeps")
            program.go()
            self.assertEqual(program.wait(), 0)
            if console:
                console.close()


if __name__ == "__main__":
    main()
