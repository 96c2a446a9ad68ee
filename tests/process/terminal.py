"""A pseudo terminal for a program's stderr, and the screen that a person would see on it.

The screen is one that leaves the text as it was broken when its width changes; tmux.py has one that breaks it anew.
"""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import unicodedata

import pyte
from wcwidth import wcwidth

SYNC_BEGIN, SYNC_END = b"\x1b[?2026h", b"\x1b[?2026l"


def set_size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    """Opens pseudo terminals of one size."""

    def __init__(self, columns=100, rows=24):
        self.columns, self.rows = columns, rows

    def open(self):
        """(end to read from, end for the program)"""
        ours, theirs = pty.openpty()
        set_size(theirs, self.columns, self.rows)
        return ours, theirs

    def replay(self, data):
        """The screen after these bytes."""
        return self.replay_events([data])

    def record(self, command, env, resizes=()):
        """Runs a program whose stdout and stderr are a terminal, and returns what happened there: pieces of bytes and sizes, in
        order; and the exit code. `resizes`: [(expression, (columns, rows))], a size is taken when its expression is found.
        """
        ours, theirs = self.open()
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        events, seen, resizes = [], bytearray(), list(resizes)
        while piece := read_piece(ours):
            events.append(piece)
            seen += piece
            if resizes and re.search(resizes[0][0].encode(), seen, re.S):
                # What the program has written by now it has written for the size before.
                while select.select([ours], [], [], 0)[0] and (piece := read_piece(ours)):
                    events.append(piece)
                _, size = resizes.pop(0)
                events.append(size)
                set_size(ours, *size)
        os.close(ours)
        return events, process.wait()

    def replay_events(self, events, settled=lambda screen: None):
        """The screen after these events. `settled` is called with it after each piece that does not end within a frame."""
        screen = Screen(self.columns, self.rows)
        stream = pyte.ByteStream(screen)
        within, last = False, b""
        for event in events:
            if isinstance(event, tuple):
                screen.resize(event[1], event[0])
                continue
            stream.feed(event)
            last += event  # a mark may have come in two pieces
            within, last = ends_within_frame(last, within), last[1 - len(SYNC_BEGIN):]
            if not within:
                settled(screen)
        return screen


def read_piece(fd):
    try:
        return os.read(fd, 1 << 16)
    except OSError:  # a pseudo terminal's way of saying that nobody has it open any more
        return b""


def ends_within_frame(data, before):
    """Is a synchronized update open at the end of these bytes?"""
    begin, end = data.rfind(SYNC_BEGIN), data.rfind(SYNC_END)
    return before if begin == end else begin > end


class Screen(pyte.Screen):
    """pyte's screen, what has left it at the top, and which rows are one line that did not fit."""

    def __init__(self, columns, rows):
        self.gone = []
        self.gone_wrapped = []
        self.drawing = False
        super().__init__(columns, rows)

    def draw(self, data):
        # pyte gives up at a character without a width that combines with nothing, like the one that joins emoji.
        self.drawing = True
        super().draw("".join(c for c in data if wcwidth(c) > 0 or unicodedata.combining(c)))
        self.drawing = False

    def linefeed(self):
        if self.drawing:
            self.buffer[self.cursor.y].wrapped_at = self.columns
        super().linefeed()

    def index(self):
        if self.cursor.y == self.lines - 1:
            self.leave_at_the_top()
        super().index()

    def leave_at_the_top(self):
        self.gone.append(self.row(0))
        self.gone_wrapped.append(self.wrapped_at(0))

    def resize(self, lines=None, columns=None):
        """As xterm: rows above the cursor leave at the top where room is short, else those below are cut. What no longer fits
        into the width stays unseen, so that the text can still be judged."""
        self.columns = columns or self.columns
        while lines is not None and self.cursor.y >= lines:
            self.leave_at_the_top()
            for y in range(self.lines - 1):
                self.buffer[y] = self.buffer[y + 1]
            self.buffer.pop(self.lines - 1, None)
            self.cursor.y -= 1
            self.lines -= 1
        self.lines = lines or self.lines
        for y in [y for y in self.buffer if y >= self.lines]:
            self.buffer.pop(y)
        self.cursor.x = min(self.cursor.x, self.columns - 1)
        self.set_margins()
        self.dirty.update(range(self.lines))

    def erase_in_line(self, how=0, private=False):
        super().erase_in_line(how, private)
        line = self.buffer[self.cursor.y]
        if how != 1:
            line.wrapped_at = 0
            for x in [x for x in line if x >= self.columns]:
                line.pop(x)

    def erase_in_display(self, how=0, private=False):
        super().erase_in_display(how, private)
        for y in range(self.cursor.y + 1 if how == 0 else self.lines, self.lines):
            self.buffer[y].wrapped_at = 0

    def wrapped_at(self, y):
        """Where this row's line goes on in the next one; 0: it does not."""
        return getattr(self.buffer[y], "wrapped_at", 0)

    def row(self, y):
        line, wrapped_at = self.buffer[y], self.wrapped_at(y)
        if wrapped_at:
            return "".join(line[x].data for x in range(wrapped_at))
        return "".join(line[x].data for x in range(max(self.columns, max(line, default=0) + 1))).rstrip()

    def text(self):
        """Every row that was or is on the screen, without the blank ones at its end."""
        rows = [row.rstrip() for row in self.gone] + [self.row(y).rstrip() for y in range(self.lines)]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def text_lines(self):
        """The same as lines: what was broken because it did not fit is one again."""
        result, whole = [], ""
        wrapped = self.gone_wrapped + [self.wrapped_at(y) for y in range(self.lines)]
        for row, goes_on in zip(self.gone + [self.row(y) for y in range(self.lines)], wrapped):
            whole += row
            if not goes_on:
                result.append(whole.rstrip())
                whole = ""
        result += [whole] if whole else []
        while result and not result[-1]:
            result.pop()
        return result

    def cursor_shown(self):
        return pyte.modes.DECTCEM in self.mode

    def autowrap(self):
        return pyte.modes.DECAWM in self.mode

    def colours(self, row):
        """The colours used in a row of the screen."""
        return {self.buffer[row][x].fg for x in range(self.columns)} - {"default"}


def without_line_ends(data):
    """A terminal's line discipline turns a newline into CR LF; what is left of the carriage returns is the program's."""
    return data.replace(b"\r\n", b"\n")


def control_bytes(data):
    """The bytes that no record may bring: every control byte but the newline, and C1 as UTF-8."""
    return sorted(set(re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", data)))
