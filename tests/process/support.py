"""What the process tests share: the environment, programs under observation, checkers of the records they show.

DLOG_BIN names the folder of the built programs. DLOG_TEST_SCALE multiplies record counts (default 1; less in a sanitized build,
which DLOG_TEST_SANITIZE tells), DLOG_TEST_FULL=1 takes the full counts and times, DLOG_TEST_RUNS says how often a program is run
by the tests that repeat it. Nothing here measures time to judge it: every wait polls for an event and has a deadline that only
a hang reaches.
"""
import os
import re
import signal
import subprocess
import threading
import time
import unittest

BIN = os.environ.get("DLOG_BIN", "build/dev/bin")
SANITIZED = bool(os.environ.get("DLOG_TEST_SANITIZE"))
SCALE = float(os.environ.get("DLOG_TEST_SCALE", "0.2" if SANITIZED else "1"))
FULL = os.environ.get("DLOG_TEST_FULL") == "1"
DEADLINE = 120.0 if SANITIZED else 30.0
MESSAGE_BYTES_MAX = 1 << 20

LEVELS = ("TRC", "DBG", "INF", "WRN", "ERR", "FTL")
# A level that came as a number which we do not know is shown as that number.
HEAD = r"(?P<time>\d\d:\d\d:\d\d\.\d{3}) (?P<level>TRC|DBG|INF|WRN|ERR|FTL|L\d{1,3} ?) (?P<name>\S[^\[\]]*)\[(?P<pid>\d+)\]: (?P<message>.*)"
PLAIN = re.compile(r"(?P<date>\d{4}-\d\d-\d\d) " + HEAD, re.S)
# The same on a terminal, once the terminal has taken the escapes away.
TERMINAL = re.compile(HEAD)
NUMBERED = re.compile(r"rec (\S+) (\d+) (x*)\|")


def scaled(count, least=1):
    """A count of records or children, by DLOG_TEST_SCALE."""
    return max(least, round(count * SCALE))


def runs(count):
    """How often to repeat a program that is started again and again."""
    return int(os.environ.get("DLOG_TEST_RUNS", scaled(count, 5)))


def binary(name):
    return name if "/" in name else os.path.abspath(os.path.join(BIN, name))


def clean_environment(**variables):
    """The caller's environment without anything that changes what dlog shows; None in `variables` takes one away."""
    dropped = {"NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CI", "GITHUB_ACTIONS", "COLUMNS", "LINES"}
    result = {k: v for k, v in os.environ.items() if not k.startswith("DLOG_") and k not in dropped}
    result.update(TERM="xterm-256color", TZ="UTC0", LANG="C.UTF-8", LC_ALL="C.UTF-8")
    for key, value in variables.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = value
    # The thread sanitizer would sleep for a second at the end of each of the many programs.
    return with_sanitizer_options(result, atexit_sleep_ms=0)


def with_sanitizer_options(environment, **options):
    """The environment with these options for whatever sanitizer the programs may be built with: those it does not know it skips."""
    words = "".join(f" {key}={value}" for key, value in options.items())
    names = ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
    return environment | {name: environment.get(name, "") + words for name in names}


def until(condition, what, deadline=None):
    """Polls until `condition()` is true and returns what it returned."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what() if callable(what) else what}")
        time.sleep(0.002)


class Collector:
    """Reads a descriptor to its end in a thread of its own, so that no program ever waits for its reader."""

    def __init__(self, fd):
        self.fd = fd
        self._data = bytearray()
        self._lock = threading.Lock()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _await_turn(self):
        """Before each read."""

    def _read(self):
        while True:
            self._await_turn()
            try:
                piece = os.read(self.fd, 1 << 16)
            except OSError:  # a pseudo terminal's way of saying that nobody has it open any more
                piece = b""
            if not piece:
                break
            with self._lock:
                self._data += piece
        os.close(self.fd)

    def bytes(self):
        with self._lock:
            return bytes(self._data)

    def since(self, offset):
        with self._lock:
            return bytes(self._data[offset:])

    def text(self):
        return self.bytes().decode("utf-8", "surrogateescape")

    def wait(self, pattern, count=1, deadline=None):
        """Waits until `pattern` has been seen `count` times."""
        expression = re.compile(pattern, re.M)
        until(lambda: len(expression.findall(self.text())) >= count,
              lambda: f"{pattern!r} x {count} in {self.text()[-3000:]!r}", deadline)

    def finish(self):
        self.thread.join(DEADLINE)
        if self.thread.is_alive():
            raise AssertionError("the other end of the pipe stays open")
        return self.bytes()


class Unread:
    """In a collector's place: it does not read. Whoever made the descriptor closes it."""

    def __init__(self, fd):
        self.fd = fd

    def text(self):
        return ""


class Given:
    """Both ends of what is there already, as Program opens a terminal."""

    def __init__(self, *ends):
        self.ends = ends

    def open(self):
        return self.ends


class Program:
    """A program at work: its stdin is a pipe that `go()` writes lines to, its stdout and stderr are collected."""

    def __init__(self, case, *command, env=None, terminal=None, collector=Collector, own_session=True, **options):
        err_read, err_write = terminal.open() if terminal else os.pipe()
        self.command = [binary(command[0]), *command[1:]]
        try:
            self.process = subprocess.Popen(self.command, env=env if env is not None else clean_environment(), stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=err_write, start_new_session=own_session, **options)
        finally:
            os.close(err_write)
        case.addCleanup(self._stop)
        self.pid = self.process.pid
        self.out = Collector(os.dup(self.process.stdout.fileno()))
        self.err = collector(err_read)

    def _stop(self):
        if self.process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)  # with children that it started and that hang, too
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass

    def go(self):
        """Lets a program that waits for a line go on."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def answer(self, word):
        """What the program printed on stdout after `word`."""
        self.out.wait(rf"^{word} .*\n")
        return re.search(rf"^{word} (.*)$", self.out.text(), re.M).group(1)

    def alive(self):
        return self.process.poll() is None

    def wait(self, deadline=None):
        """Closes stdin, waits for the end and for all output, and returns the exit code."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            code = self.process.wait(deadline or DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} does not end; stderr so far: {self.err.text()[-2000:]!r}") from None
        self.out.finish()
        self.err.finish()
        return code


def run(case, *command, env=None, code=0, **options):
    """Runs a program to its end and returns it; its exit code must be `code` (None: any)."""
    program = Program(case, *command, env=env, **options)
    ended = program.wait()
    if code is not None:
        case.assertEqual(ended, code, f"{program.command}: {program.err.text()[-3000:]}")
    return program


class Console(Program):
    """A parent that waits for children: `address` is where its listener is, `close()` ends it."""

    def __init__(self, case, *before, env=None, terminal=None, program="t_do", **options):
        super().__init__(case, program, *before, "address", "wait", env=env, terminal=terminal, **options)
        self.address = self.answer("address")
        case.assertRegex(self.address, r"^127\.0\.0\.1:\d+$")
        self.port = int(self.address.rsplit(":", 1)[1])
        self.out.wait("^waiting$")

    def close(self):
        """Lets the parent return from main; everything that it showed is in `err` afterwards."""
        code = self.wait()
        assert code == 0, f"the parent ended with {code}: {self.err.text()[-3000:]}"
        return self.err.text()


class Line:
    """One record of plain output: its fields, and in `more` its continuation lines as they stand."""

    def __init__(self, match):
        self.level, self.name, self.pid, self.message = (match["level"], match["name"], int(match["pid"]), match["message"])
        self.stamp = f"{match['date']} {match['time']}"
        self.more = []

    def __repr__(self):
        return f"{self.level} {self.name}[{self.pid}]: {self.message!r} {self.more or ''}"


def plain_lines(case, text):
    """Plain output as records. A line that is neither a record nor indented fails the test."""
    case.assertTrue(text == "" or text.endswith("\n"), f"the last line has no end: {text[-200:]!r}")
    result = []
    for line in text.split("\n")[:-1]:
        match = PLAIN.fullmatch(line)
        if match:
            result.append(Line(match))
        else:
            case.assertTrue(result and line.startswith("    "), f"neither a record nor a continuation: {line[:300]!r}")
            result[-1].more.append(line)
    return result


def notices(lines, level="WRN"):
    """dlog's own remarks among the records."""
    return [line for line in lines if line.name == "dlog" and line.level == level]


def messages(lines, name=None):
    return [line.message for line in lines if line.name != "dlog" and name in (None, line.name)]


def check_numbered(case, text, expected, prefix=PLAIN):
    """Every numbered record that `expected` ({"name/thread": count}) asks for is there once, whole and in order.

    Returns the lines that hold no numbered record, for the test to look at.
    """
    following = dict.fromkeys(expected, 0)
    rest, faults = [], []
    for line in text.split("\n"):
        head = prefix.fullmatch(line)
        match = NUMBERED.fullmatch(head["message"]) if head else None
        if match is None:
            rest.append(line)
            if "rec " in line or "xxx" in line:
                faults.append(f"torn: {line[:200]!r}")
            continue
        key, number, filler = match[1], int(match[2]), len(match[3])
        if filler != number % 97:
            faults.append(f"mixed: {line[:200]!r}")
        if key not in following:
            faults.append(f"not expected: {line[:200]!r}")
        elif number != following[key]:
            kind = "missing" if number > following[key] else "double or out of order"
            faults.append(f"{kind}: {key} {number} where {following[key]} was due")
            following[key] = max(following[key], number + 1)
        else:
            following[key] += 1
    for key, count in expected.items():
        if following[key] != count:
            faults.append(f"{key}: {following[key]} of {count}")
    case.assertFalse(faults, f"{len(faults)} faults, the first: {faults[:5]}; not numbered: {rest[:10]}")
    return [line for line in rest if line]


def sanitizer(name="t_do"):
    """The sanitizer that the programs are built with: "address", "thread" or "". They bring memory and threads of their own."""
    with open(binary(name), "rb") as file:
        content = file.read()
    return "thread" if b"__tsan_init" in content else "address" if b"__asan_init" in content else ""


def main():
    unittest.main(verbosity=2)
