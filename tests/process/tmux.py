"""A program in a window of a tmux of its own: a terminal that breaks its lines anew when its width changes."""
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time

from support import DEADLINE, until


class Tmux:
    """One run: `lines` is the whole text at its end, as lines; `code`, `cursor_shown` and `autowrap` are as they were left."""

    def __init__(self, command, env, columns, rows, resizes=()):
        self.folder = tempfile.mkdtemp(prefix="dlog-tmux-")
        self.environment = {**env, "TMUX_TMPDIR": self.folder}
        self.environment.pop("TMUX", None)
        try:
            self._start(command, columns, rows)
            for mark, size in resizes:  # [(expression, (columns, rows))], as in terminal.py
                self._wait(mark + "|^end of run")
                self._ask("resize-window", "-x", str(size[0]), "-y", str(size[1]))
            # It comes after everything that the program wrote, and is taken in when that is.
            self.code = int(self._wait(r"^end of run (\d+)$")[1])
            self.lines = self._text("-J")
            last = max(i for i, line in enumerate(self.lines) if line.startswith("end of run"))
            del self.lines[last:]
            self.cursor_shown, self.autowrap = (word == "1" for word in self._ask("display", "-p", "#{cursor_flag} #{wrap_flag}").split())
        finally:
            self._ask("kill-server")
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, command, columns, rows):
        shell = f"{shlex.join(command)}; printf 'end of run %d\\n' $?; exec sleep {int(DEADLINE)}"
        self._ask("start-server", ";", "set", "-g", "history-limit", "100000", ";", "set", "-g", "status", "off", ";",
                  "set", "-g", "default-terminal", "tmux-256color", ";",
                  "new-session", "-d", "-x", str(columns), "-y", str(rows), "/bin/sh", "-c", shell)

    def _ask(self, *words):
        name = f"dlog-test-{os.getpid()}"
        return subprocess.run(["tmux", "-u", "-L", name, "-f", "/dev/null", *words], env=self.environment, capture_output=True,
                              text=True, check=False).stdout

    def _text(self, *options):
        """The screen and what has left it at the top."""
        text = self._ask("capture-pane", "-p", *options, "-S", "-")
        return [line.rstrip() for line in text.rstrip("\n").split("\n")]

    def _wait(self, pattern):
        """Looks for the pattern with pauses: each look starts a program. What is written with it has a pause to come as well."""

        def found():
            match = re.search(pattern, "\n".join(self._text("-J")), re.M)
            time.sleep(0.03)
            return match

        return until(found, lambda: f"{pattern!r} in {self._text()[-40:]}")
