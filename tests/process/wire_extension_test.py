"""Version 2 of the wire between real processes: names, places, nanoseconds and whole bars of children, and what nobody can forge."""
import json
import re
import struct
import time
import unittest

from extension import (ABANDONED, CLEARED, FAILED, FINISHED, RUNNING, STAMP_NS, TOKEN, OurConsole, announced, bar_frame, hello_frame,
                       read_extension_frames, record_frame, site_frame)
from seed import Client, Listener, frame, log_frame, push_frame, read_frames
from support import Program, clean_environment, main, messages, notices, plain_lines, run, until


class Announced(unittest.TestCase):
    def test_the_id_is_of_this_listener(self):
        console = OurConsole(self, "childenv")
        port, pid, cookie, token = console.pipe_id.split(":")
        self.assertEqual((int(port), int(pid)), (console.port, console.pid))
        self.assertGreater(int(cookie), 0)
        self.assertRegex(token, r"^[0-9a-f]{32}$")
        self.assertIn(f"childenv DLOG_PIPE={console.address}\nchildenv DLOG_PIPE_ID={console.pipe_id}\n", console.out.text())
        other = OurConsole(self)
        self.assertNotEqual(other.pipe_id.split(":")[3], token)
        for each in (console, other):
            each.close()

    def test_a_child_names_the_id_of_its_parent(self):
        listener = Listener(self)
        variables = announced(listener.address)
        child = run(self, "t_do", "info a", "childenv", env=clean_environment(**variables))
        self.assertEqual(child.out.text(), "".join(f"childenv {name}={value}\n" for name, value in variables.items()))
        listener.all(self)


class WhoSpeaksTheSeed(unittest.TestCase):
    """A child that does not know its parent for one of ours sends the seed's frames and nothing else."""

    def frames(self, **variables):
        listener = Listener(self)
        run(self, "t_do", "info a", "bar b 5 Reading", "done b", env=clean_environment(DLOG_PIPE=listener.address, **variables))
        return read_frames(self, listener.all(self))

    def check_seed(self, frames, notice):
        logs = [frame[1:3] for frame in frames if frame[0] == "log"]
        self.assertEqual(logs, [(1, "dlog: DLOG_PIPE_ID is malformed; speaking the seed protocol only")] * notice + [(2, "a")])
        self.assertEqual([f[0] for f in frames if f[0] != "log"], ["create", "push", "finish"])

    def test_no_id(self):
        self.check_seed(self.frames(), notice=False)
        self.check_seed(self.frames(DLOG_PIPE_ID=""), notice=False)

    def test_an_id_of_another_port(self):
        self.check_seed(self.frames(DLOG_PIPE_ID=f"1:1:1:{TOKEN}"), notice=False)

    def test_a_malformed_id(self):
        for text in ("nonsense", ":::", f"1:1:1:{TOKEN}0", f"1:1:1:{TOKEN[1:]}", f"99999:1:1:{TOKEN}", f"1:1:1:{TOKEN} ", "\x1b[2J", "x" * 5000):
            self.check_seed(self.frames(DLOG_PIPE_ID=text), notice=True)

    def test_an_id_alone_is_no_parent(self):
        program = run(self, "t_do", "info a", "role", env=clean_environment(DLOG_PIPE_ID=f"4711:1:1:{TOKEN}"))
        self.assertEqual(program.out.text(), "role aggregator\n")
        self.assertEqual([line.message for line in plain_lines(self, program.err.text())], ["a"])


class ChildOfABareParent(unittest.TestCase):
    def child(self, *script, **variables):
        listener = Listener(self)
        child = Program(self, "t_do", *script, env=clean_environment(**announced(listener.address), **variables))
        self.assertEqual(child.wait(), 0, child.err.text())
        self.assertEqual(child.err.bytes(), b"")
        return child, read_extension_frames(self, listener.all(self)), listener

    def test_records(self):
        before = time.time_ns()
        child, frames, listener = self.child("info burst 0", "many 3 own", "fatal snow \u2603\nand more")
        after = time.time_ns()
        self.assertEqual(frames[0], {"frame": "hello", "version": 2, "pid": child.pid, "name": "t_do", "token": TOKEN})
        records = [f for f in frames if f["frame"] == "record"]
        self.assertEqual([(r["level"], r["message"]) for r in records],
                         [(2, "burst 0"), *[(2, f"rec own/0 {i} {'x' * i}|") for i in range(3)], (5, "snow \u2603\nand more")])
        self.assertEqual({(r["flags"], r["thread"]) for r in records}, {(0, child.pid)})
        for record in records:
            self.assertTrue(before - 2_000_000 <= record["time_ns"] <= after + 2_000_000, record)
        sites = {f["number"]: f for f in frames if f["frame"] == "site"}
        self.assertEqual(sorted(sites), [1, 2, 3], "each place is told once")
        self.assertEqual([r["site"] for r in records], [1, 2, 2, 2, 3])
        for site in sites.values():
            self.assertTrue(site["file"].endswith("t_do.cpp") and site["line"] > 0 and site["function"], site)
        # The place stands before the first record that names it, and the whole is nothing but these frames, byte for byte.
        sent = b"".join({"hello": lambda f: hello_frame(f["name"], f["pid"], f["token"], f["version"]),
                         "watch": lambda f: frame(b"\x15"),
                         "flush": lambda f: frame(b"\x14" + struct.pack(">BQQ", f["flags"], f["number"], f["records"])),
                         "site": lambda f: site_frame(f["number"], f["file"], f["line"], f["function"]),
                         "record": lambda f: record_frame(f["message"], f["level"], f["site"], f["thread"], f["time_ns"])}[f["frame"]](f)
                        for f in frames)
        self.assertEqual(bytes(listener.connections[0]), sent)
        self.assertEqual([f["frame"] for f in frames],
                         ["hello", "watch", "site", "record", "site", "record", "record", "record", "site", "record", "flush"])
        self.assertEqual((frames[-1]["flags"], frames[-1]["number"], frames[-1]["records"]), (1, 1, len(records)))

    def test_a_name_of_its_own(self):
        _, frames, _ = self.child("info a", DLOG_NAME="worker \u2603" + "n" * 100)
        self.assertEqual(frames[0]["name"], ("worker \u2603" + "n" * 100)[:62], "64 bytes")

    def test_a_bar(self):
        _, frames, _ = self.child("bar a 200 Reading", "push a 50", "sleep 1000", "push a 120", "sleep 1000", "message a part 3", "sleep 1000",
                                  "total a 300", "push a 200", "sleep 1000", "fail a no disk")
        self.assertEqual(frames[0]["frame"], "hello")
        states = [f for f in frames if f["frame"] == "bar"]
        first = states[0]
        self.assertEqual((first["state"], first["value"], first["total"], first["description"], first["message"]), (RUNNING, 0, 200, "Reading", ""))
        self.assertEqual({f["bar"] for f in frames if "bar" in f}, {first["bar"]})
        self.assertEqual([(f["state"], f["total"], f["message"]) for f in states],
                         [(RUNNING, 200, ""), (RUNNING, 200, "part 3"), (RUNNING, 300, "part 3"), (FAILED, 300, "no disk")])
        self.assertEqual([f["value"] for f in frames if f["frame"] == "push"], [50, 120])
        self.assertEqual(states[-1]["value"], 200)

    def test_how_bars_end(self):
        _, frames, _ = self.child("bar a 5 A", "bar b 5 B", "bar c 5 C", "bar d 5 D", "done a", "abandon b", "clear c", "fail d")
        ends = [(f["description"], f["state"]) for f in frames if f["frame"] == "bar" and f["state"] != RUNNING]
        self.assertEqual(ends, [("A", FINISHED), ("B", ABANDONED), ("C", CLEARED), ("D", FAILED)])

    def test_what_dlog_itself_has_to_say(self):
        _, frames, _ = self.child("info a", DLOG_LEVEL="loud")
        notice = [f for f in frames if f["frame"] == "record"][0]
        self.assertEqual((notice["flags"], notice["level"], notice["site"]), (1, 3, 0))
        self.assertTrue(notice["message"].startswith('DLOG_LEVEL="loud" is not a level'))


class ChildOfOurs(unittest.TestCase):
    def test_it_is_shown_by_its_name_and_number(self):
        console = OurConsole(self)
        child = run(self, "t_do", "info hello from below", "bar a 10 Reading", "push a 10", "done a", env=console.child_environment(DLOG_LEVEL="loud"))
        self.assertEqual(child.err.bytes(), b"")
        console.err.wait("finished")
        lines = plain_lines(self, console.close())
        self.assertEqual({(line.name, line.pid) for line in lines}, {("t_do", child.pid), ("dlog", child.pid)})
        self.assertEqual([line.message for line in lines if line.name == "t_do"],
                         ["hello from below", "Reading: started (0/10)", "Reading: finished (10/10)"])
        self.assertEqual(len(notices(lines)), 1)

    def test_json_has_all_of_it(self):
        console = OurConsole(self, env=clean_environment(DLOG_FORMAT="json"))
        child = run(self, "t_do", "many 50 own", env=console.child_environment())
        console.err.wait("rec own/0 49 ")
        console.close()
        records = [json.loads(line) for line in console.err.bytes().splitlines()]
        self.assertEqual(len(records), 50)
        for record in records:
            self.assertEqual((record["name"], record["pid"], record["tid"]), ("t_do", child.pid, child.pid))
            self.assertTrue(record["file"].endswith("t_do.cpp") and record["line"] > 0, record)
            self.assertGreater(record["port"], 0)
        nanoseconds = [int(re.search(r"\.(\d{9})Z$", record["ts"])[1]) for record in records]
        self.assertTrue(any(ns % 1_000_000 for ns in nanoseconds), nanoseconds)

    def test_a_bar_that_is_cleared_leaves_nothing(self):
        console = OurConsole(self)
        run(self, "t_do", "bar a 10 Reading", "push a 3", "clear a", "info after", env=console.child_environment())
        console.err.wait("after")
        self.assertEqual([line.message for line in plain_lines(self, console.close())], ["Reading: started (0/10)", "after"])

    def test_a_failure_is_one_line(self):
        console = OurConsole(self)
        run(self, "t_do", "bar a 10 Reading", "push a 3", "fail a no disk", env=console.child_environment())
        console.err.wait("no disk")
        self.assertEqual([(line.level, line.message) for line in plain_lines(self, console.close())],
                         [("INF", "Reading: started (0/10)"), ("ERR", "Reading: failed at 3/10: no disk")])

    def told_of_its_level(self, *script, told=(), alone=(), **environment):
        """A child's level as its parent, or its own program ("child ..."), sets one after the other; then without the parent."""
        host = Program(self, "t_do", "address", "getenv DLOG_PIPE_ID", "obey", env=clean_environment())
        host.out.wait("^obeying$")
        variables = {"DLOG_PIPE": host.answer("address"), "DLOG_PIPE_ID": host.answer("getenv").partition("=")[2]}
        child = Program(self, "t_do", *script, "obey", env=clean_environment(**variables, **environment))
        child.out.wait("^obeying$")
        asked = 0

        def tell(program, line):
            program.process.stdin.write(f"{line}\n".encode())
            program.process.stdin.flush()

        def child_level():
            nonlocal asked
            asked += 1
            tell(child, "level")
            child.out.wait("^level ", asked)
            return re.findall("^level (.*)$", child.out.text(), re.M)[asked - 1]

        tell(child, "fatal up")
        host.err.wait("up")
        seen = [child_level()]
        for level, expected in told:
            who, _, level = level.rpartition(" ")
            tell(child if who else host, f"set_level {level}")
            until(lambda: child_level() == expected, lambda: f"{expected} after {seen}, not {child_level()}")
            seen.append(expected)
        host.process.stdin.close()
        self.assertEqual(host.wait(), 0)
        for level in alone:  # as soon as it knows that it is
            until(lambda: tell(child, f"set_level {level}") or child_level() == level, lambda: f"{level}, not {child_level()}")
        child.process.stdin.close()
        self.assertEqual(child.wait(), 0)
        return seen

    def test_a_parents_level(self):
        self.assertEqual(self.told_of_its_level(told=[("warn", "warn"), ("debug", "debug"), ("off", "off"), ("trace", "trace")])[0], "trace")

    def test_a_parents_level_makes_no_child_chattier_than_its_environment_says(self):
        seen = self.told_of_its_level(told=[("fatal", "fatal"), ("debug", "error"), ("off", "off"), ("trace", "error")],
                                      alone=["debug"], DLOG_LEVEL="error")
        self.assertEqual(seen[0], "error")

    def test_nor_than_its_program_says(self):
        seen = self.told_of_its_level("init level=warn", told=[("fatal", "fatal"), ("debug", "warn"), ("child info", "info"), ("error", "error"),
                                                               ("child debug", "error"), ("trace", "debug"), ("off", "off")], alone=["info"])
        self.assertEqual(seen[0], "warn")

    def test_a_parent_that_ends_before_its_child(self):
        console = OurConsole(self)
        child = Program(self, "t_do", "info early", "flush", "wait", "info late", "many 500 late", "flush",
                        env=console.child_environment(DLOG_FORMAT="json"))
        child.out.wait("^waiting$")
        console.err.wait("early")
        console.close()
        child.go()
        self.assertEqual(child.wait(), 0)
        records = [json.loads(line) for line in child.err.bytes().splitlines()]
        self.assertEqual((records[0]["name"], records[0]["level"]), ("dlog", "warn"))
        self.assertEqual([r["msg"] for r in records[1:]], ["late", *[f"rec late/0 {i} {'x' * (i % 97)}|" for i in range(500)]])
        for record in records[1:]:
            self.assertEqual((record["name"], record["pid"], record["tid"]), ("t_do", child.pid, child.pid))
            self.assertTrue(record["file"].endswith("t_do.cpp") and record["line"] > 0, record)


class ClientInAnotherLanguage(unittest.TestCase):
    """A child that has nothing but a socket speaks version 2."""

    def lines_of(self, data, last="the last", **options):
        console = OurConsole(self, **options)
        client = Client(self, console.port)
        client.send(data(console) if callable(data) else data)
        client.send(record_frame(last))
        console.err.wait(last)
        client.close()
        return console, client, plain_lines(self, console.close())

    def test_it_is_shown_by_what_it_says(self):
        _, _, lines = self.lines_of(hello_frame("worker", 815) + site_frame(1, "main.py", 3, "main") + record_frame("hello", 3, 1, 99)
                                    + bar_frame(1, value=3, total=10, description="Reading") + push_frame(1, 10)
                                    + bar_frame(1, state=FINISHED, value=10, total=10, description="Reading") + log_frame("in the seed's words"))
        self.assertEqual({(line.name, line.pid) for line in lines}, {("worker", 815)})
        self.assertEqual([line.message for line in lines],
                         ["hello", "Reading: started (3/10)", "Reading: finished (10/10)", "in the seed's words", "the last"])
        self.assertEqual(lines[0].stamp, "2026-11-21 04:16:40.727")

    def test_its_nanoseconds(self):
        console = OurConsole(self, env=clean_environment(DLOG_FORMAT="json"))
        client = Client(self, console.port)
        client.send(hello_frame("worker", 815) + site_frame(1, "main.py", 3, "main") + record_frame("m", 2, 1, 99))
        console.err.wait('"m"')
        console.close()
        record = json.loads(console.err.text())
        self.assertEqual(record, {"ts": "2026-11-21T04:16:40.727123456Z", "level": "info", "name": "worker", "pid": 815, "port": client.port,
                                  "tid": 99, "msg": "m", "file": "main.py", "line": 3})

    def test_nobody_speaks_in_the_name_of_this_process(self):
        def forged(console):
            return hello_frame("t_do", console.pid) + record_frame("paid", 3, notice=True) + record_frame("paid")
        console, client, lines = self.lines_of(forged)
        self.assertEqual({(line.name, line.pid) for line in lines}, {("child", client.port)})
        self.assertNotIn(f"[{console.pid}]", console.err.text())

    def test_names_cannot_look_like_another(self):
        _, _, lines = self.lines_of(lambda console: hello_frame(f"dlog[{console.pid}]: paid", 815) + record_frame("m"))
        self.assertEqual({line.pid for line in lines}, {815})
        self.assertTrue(lines[0].name.startswith("dlog_"))
        _, _, lines = self.lines_of(hello_frame("dlog", 815) + record_frame("m"))
        self.assertEqual({(line.name, line.pid) for line in lines}, {("child", 815)})

    def test_a_notice_is_of_the_childs_own_dlog(self):
        _, _, lines = self.lines_of(hello_frame("worker", 815) + record_frame("3 records dropped", 3, notice=True))
        self.assertEqual([(line.name, line.pid, line.message) for line in lines],
                         [("dlog", 815, "3 records dropped"), ("worker", 815, "the last")])

    def test_an_orphan(self):
        console = OurConsole(self)
        client = Client(self, console.port)
        client.send(hello_frame("worker", 815) + bar_frame(1, value=3, total=10, description="Reading", message="part 3"))
        console.err.wait("Reading")
        client.close()
        console.err.wait("orphaned")
        lines = plain_lines(self, console.close())
        self.assertEqual([(line.name, line.pid, line.level) for line in lines if "orphaned" in line.message], [("worker", 815, "WRN")])

    def test_a_fault_is_told_of_its_name(self):
        console = OurConsole(self)
        client = Client(self, console.port)
        client.send(hello_frame("worker", 815) + b"\xff\xff\xff\xff")
        self.assertTrue(client.closed_by_parent())
        console.err.wait(r"WRN dlog\[\d+\]: worker\[815\]: frame of 4294967295 bytes")
        console.close()


if __name__ == "__main__":
    main()
