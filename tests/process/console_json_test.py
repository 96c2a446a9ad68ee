"""The console as JSON lines: every line parses, whatever the bytes, and has the promised keys."""
import datetime
import json
import unittest

from seed import Client, create_frame, finish_frame, log_frame, push_frame
from support import Console, clean_environment, main, run
from terminal import control_bytes

JSON = {"DLOG_FORMAT": "json"}


def parsed(case, data):
    """Every line as an object; the bytes must be UTF-8 and hold no raw control byte."""
    case.assertEqual(control_bytes(data), [])
    text = data.decode("utf-8")
    case.assertTrue(text == "" or text.endswith("\n"))
    return [json.loads(line) for line in text.split("\n")[:-1]]


class JsonLines(unittest.TestCase):
    def test_the_keys_of_a_record(self):
        program = run(self, "t_do", "warn hello", env=clean_environment(**JSON, TZ="Asia/Kathmandu"))
        (record,) = parsed(self, program.err.bytes())
        self.assertEqual(list(record)[:4], ["ts", "level", "name", "pid"])
        self.assertEqual((record["name"], record["pid"], record["msg"]), ("t_do", program.pid, "hello"))
        self.assertIn(record["level"].lower(), ("warn", "wrn"))
        self.assertEqual(record["tid"], program.pid, "the main thread's id is the process's")
        self.assertTrue(record["file"].endswith("t_do.cpp"), record)
        self.assertGreater(record["line"], 0)
        self.assertRegex(record["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        stamp = datetime.datetime.strptime(record["ts"][:26], "%Y-%m-%dT%H:%M:%S.%f")
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.assertLess(abs(now - stamp), datetime.timedelta(minutes=5), "UTC, wherever the program runs")

    def test_every_level_differs(self):
        program = run(self, "t_do", "trace a", "debug a", "info a", "warn a", "error a", "fatal a", env=clean_environment(**JSON))
        self.assertEqual(len({record["level"] for record in parsed(self, program.err.bytes())}), 6)

    def test_any_text_survives(self):
        texts = ['quote " and \\ backslash', "two\nlines\tand a tab", "".join(map(chr, range(1, 32))), "\x7f\x80\x9b", "\u202e\u2066 bidi",
                 "snowman \u2603 \U0001f600", "\u2028\u2029", "{not: json}", ""]
        program = run(self, "t_do", *[f"info {text}" for text in texts], env=clean_environment(**JSON))
        records = parsed(self, program.err.bytes())
        self.assertEqual(len(records), len(texts))
        for record, text in zip(records, texts):
            # A program in between may show what stands in the string: escapes that are part of the text are as good.
            self.assertTrue(record["msg"] == text or "\\x" in record["msg"] or "\\u" in record["msg"], (record["msg"], text))
        self.assertEqual(records[0]["msg"], texts[0])
        self.assertEqual(records[5]["msg"], texts[5])

    def test_any_bytes_parse(self):
        odd = [bytes([b]) * 3 for b in range(1, 256)]
        program = run(self, "t_do", *[b"info <" + b + b">" for b in odd], env=clean_environment(**JSON))
        records = parsed(self, program.err.bytes())
        self.assertEqual(len(records), len(odd))
        for record in records:
            self.assertTrue(record["msg"].startswith("<") and record["msg"].endswith(">"))

    def test_any_bytes_from_a_child_parse(self):
        console = Console(self, env=clean_environment(**JSON))
        child = Client(self, console.port)
        for byte in range(256):
            stamp = bytes([byte]) * 3 if byte % 5 == 0 else b"2026-11-21T04:16:40.727Z"
            child.send(log_frame(b"<" + bytes([byte]) * 2 + b">", level=byte % 12, stamp=stamp))
        child.send(log_frame("the last"))
        console.err.wait("the last")
        console.close()
        records = parsed(self, console.err.bytes())
        self.assertEqual(len([r for r in records if "msg" in r and r["name"] == "child"]), 257)
        last = next(r for r in records if r.get("msg") == "the last")
        self.assertEqual(last["ts"], "2026-11-21T04:16:40.727000000Z")

    def test_bars(self):
        program = run(self, "t_do", "bar a 200 Reading", "push a 100", "push a 200", "done a", env=clean_environment(**JSON))
        events = parsed(self, program.err.bytes())
        self.assertTrue(events)
        for event in events:
            self.assertEqual((event["event"], event["description"], event["total"]), ("progress", "Reading", 200))
            self.assertLessEqual({"ts", "name", "pid", "bar", "value", "state"}, set(event))
        self.assertEqual(len({event["bar"] for event in events}), 1)
        self.assertEqual((events[-1]["state"], events[-1]["value"]), ("finished", 200))
        self.assertEqual([event["state"] for event in events].count("finished"), 1)

    def test_how_bars_end(self):
        program = run(self, "t_do", "bar a 9 Odd\x1b\n\"", "push a 3", "fail a no\x07 luck", "bar b 5 Other", "abandon b",
                      env=clean_environment(**JSON))
        events = parsed(self, program.err.bytes())
        self.assertEqual([e["state"] for e in events if e["state"] != "running"], ["failed", "abandoned"])

    def test_a_childs_bar(self):
        console = Console(self, env=clean_environment(**JSON))
        child = Client(self, console.port)
        child.send(create_frame(7, b"Odd \xff\x1b", 10) + push_frame(7, 10) + finish_frame(7) + create_frame(8, "Left", 10))
        console.err.wait("finished")
        child.close()
        console.err.wait("orphaned")
        console.close()
        events = [e for e in parsed(self, console.err.bytes()) if e.get("event") == "progress"]
        self.assertEqual([e["state"] for e in events if e["state"] != "running"], ["finished", "orphaned"])

    def test_no_progress(self):
        program = run(self, "t_do", "bar a 200 Reading", "info kept", "done a", env=clean_environment(**JSON, DLOG_NO_PROGRESS="true"))
        self.assertEqual([r.get("msg") for r in parsed(self, program.err.bytes())], ["kept"])

    def test_remarks_are_json_too(self):
        program = run(self, "t_do", "info kept", env=clean_environment(**JSON, DLOG_LEVEL='"\\x'))
        records = parsed(self, program.err.bytes())
        self.assertEqual([r["name"] for r in records], ["dlog", "t_do"])


if __name__ == "__main__":
    main()
