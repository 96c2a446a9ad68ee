"""What a child says is shown and never obeyed: no text of its moves a cursor, forges a line, reorders text or sets a title."""
import re
import unittest

from seed import Client, create_frame, finish_frame, log_frame, push_frame
from support import TERMINAL, Console, clean_environment, main, plain_lines, run
from terminal import Terminal, control_bytes

FORGED = "2026-01-01 00:00:00.000 INF bank[1]: paid"
SHORT_FORGED = "00:00:00.000 INF bank[1]: paid"
ATTACKS = {
    "title": "\x1b]0;PWNED\x07\x1b]2;PWNED\x1b\\",
    "clear": "\x1b[2J\x1b[H",
    "line above": "\x1b[1A\x1b[2K" + SHORT_FORGED,
    "carriage return": "\r" + SHORT_FORGED,
    "backspaces": "\b" * 200 + SHORT_FORGED,
    "newline": "\n" + SHORT_FORGED + "\n" + FORGED,
    "vertical tab": "\v" + SHORT_FORGED + "\f" + SHORT_FORGED,
    "next line": "\x85" + SHORT_FORGED + "\u2028" + SHORT_FORGED + "\u2029" + SHORT_FORGED,
    "C1": "\x9b2J\x9d0;PWNED\x9c\x90x\x9c",
    "reset": "\x1bc\x1b(0\x1b[?1049h\x0e\x1b[?25l\x1b[31m\x1b[8m",
    "override": "\u202etxet\u202c \u2066a\u2069 \u200fb \u061cc",
    "nul and delete": "a\0b\x7fc",
    "half an escape": "\x1b[",
    "region": "\x1b[1;5r\x1b[?6h\x1b[20;1H",
}
BIDI = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# The only escapes that a console of ours writes itself: colours, frame brackets, autowrap, erase, cursor up.
OURS = re.compile(rb"\x1b\[[\d;]*m|\x1b\[\?2026[hl]|\x1b\[\?7[hl]|\x1b\[[JK]|\x1b\[\d+A")


def hostile_frames():
    """Each attack in every place where a child can put text."""
    data = b""
    for i, (name, attack) in enumerate(ATTACKS.items()):
        data += log_frame(f"<{name}> {attack} <end>")
        data += log_frame(f"stamped {name}", stamp=attack)
        data += create_frame(i, f"bar {attack} bar", 10) + push_frame(i, 5)
        data += finish_frame(i) if i % 2 else b""
    return data


class HostileText(unittest.TestCase):
    def console(self, **options):
        """A parent that has been told everything, has seen the connection end, and has ended."""
        console = Console(self, "info the first", **options)
        child = Client(self, console.port)
        child.send(hostile_frames() + log_frame("the last"))
        child.close()
        console.err.wait("the last")
        console.close()
        return console

    def test_on_a_pipe(self):
        console = self.console()
        self.assertEqual(control_bytes(console.err.bytes()), [])
        text = console.err.bytes().decode("utf-8")
        self.assertIsNone(BIDI.search(text))
        lines = plain_lines(self, text)
        self.assertFalse([line for line in lines if line.name == "bank"], "a forged line")
        for name in ATTACKS:
            self.assertEqual(len([line for line in lines if line.message.startswith(f"<{name}>")]), 1)
            self.assertEqual(len([line for line in lines if line.message.startswith(f"stamped {name}")]), 1)
        for escape in (r"\x1b", r"\u202e", r"\x00", r"\x7f"):
            self.assertIn(escape, text)

    def test_as_json(self):
        console = self.console(env=clean_environment(DLOG_FORMAT="json"))
        self.assertEqual(control_bytes(console.err.bytes()), [])
        self.assertIsNone(BIDI.search(console.err.bytes().decode("utf-8")))

    def test_simple(self):
        console = self.console(env=clean_environment(DLOG_SIMPLE="true"))
        self.assertEqual(control_bytes(console.err.bytes()), [])
        for line in console.err.bytes().decode("utf-8").split("\n"):
            self.assertNotRegex(line, r"^\S* ?00:00:00.000 INF bank")

    def test_on_a_terminal(self):
        terminal = Terminal(columns=200, rows=30)
        console = self.console(terminal=terminal)
        self.assertEqual(control_bytes(OURS.sub(b"", console.err.bytes()).replace(b"\r", b"")), [])
        screen = terminal.replay(console.err.bytes())
        self.assertEqual((screen.title, screen.icon_name), ("", ""))
        rows = screen.text()
        # Not of necessity the first row: the children's stamps are hours old.
        self.assertTrue(any(re.search(r"INF t_do\[\d+\]: the first$", row) for row in rows))
        self.assertTrue(any(re.search(r"INF child\[\d+\]: the last$", row) for row in rows))
        self.assertFalse([row for row in rows if row.startswith((SHORT_FORGED, FORGED))])
        for row in rows:
            match = TERMINAL.fullmatch(row)
            self.assertNotEqual(match and match["name"], "bank")
        for name in ATTACKS:
            self.assertTrue(any(f"<{name}>" in row for row in rows), name)

    def test_our_own_text(self):
        script = [f"info <{name}> {attack}".replace("\0", "") for name, attack in ATTACKS.items()]
        script += ["bar a 10 Bar\x1b]0;PWNED\x07\n" + SHORT_FORGED, "fail a because\x1b[2J\n" + FORGED]
        piped = run(self, "t_do", *script)
        self.assertEqual(control_bytes(piped.err.bytes()), [])
        self.assertFalse([line for line in plain_lines(self, piped.err.text()) if line.name == "bank"])
        terminal = Terminal(columns=200)
        screen = terminal.replay(run(self, "t_do", *script, terminal=terminal).err.bytes())
        self.assertEqual((screen.title, screen.icon_name), ("", ""))
        self.assertFalse([row for row in screen.text() if row.startswith((SHORT_FORGED, FORGED))])


if __name__ == "__main__":
    main()
