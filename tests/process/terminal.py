"""A pseudo terminal for a program's stderr, and the screen that a person would see on it."""
import fcntl
import pty
import re
import struct
import termios

import pyte


class Terminal:
    """Opens pseudo terminals of one size."""

    def __init__(self, columns=100, rows=24):
        self.columns, self.rows = columns, rows

    def open(self):
        """(end to read from, end for the program)"""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        return ours, theirs

    def replay(self, data):
        """The screen after these bytes."""
        screen = Screen(self.columns, self.rows)
        pyte.ByteStream(screen).feed(data)
        return screen


class Screen(pyte.Screen):
    """pyte's screen and what has left it at the top."""

    def __init__(self, columns, rows):
        self.gone = []
        super().__init__(columns, rows)

    def index(self):
        if self.cursor.y == self.lines - 1:
            self.gone.append(self.row(0))
        super().index()

    def row(self, y):
        return "".join(self.buffer[y][x].data for x in range(self.columns)).rstrip()

    def text(self):
        """Every line that was or is on the screen, without the blank ones at its end."""
        rows = self.gone + [self.row(y) for y in range(self.lines)]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def colours(self, row):
        """The colours used in a row of the screen."""
        return {self.buffer[row][x].fg for x in range(self.columns)} - {"default"}


def without_line_ends(data):
    """A terminal's line discipline turns a newline into CR LF; what is left of the carriage returns is the program's."""
    return data.replace(b"\r\n", b"\n")


def control_bytes(data):
    """The bytes that no record may bring: every control byte but the newline, and C1 as UTF-8."""
    return sorted(set(re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", data)))
