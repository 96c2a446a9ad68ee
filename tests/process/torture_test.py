"""dlog-torture: what it prints, what it refuses, that it leaves nothing behind, and above all that it finds what is wrong."""
# ctest: timeout=400
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from support import DEADLINE, binary, clean_environment, main, sanitizer, until, with_sanitizer_options

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/torture.md"
COUNTS = ("lost", "doubled", "torn", "disorder", "hung", "failed", "blocked")
NUMBER = r"([\d,]+)"
ROW = re.compile(rf"(\S+) +{NUMBER} +{NUMBER} " + rf" +{NUMBER}" * len(COUNTS) + r" +(-|[\d.]+ ms)  (held|BROKEN|skipped|not run)(.*)")
TOTALS = re.compile(rf"{NUMBER} lost of {NUMBER} accepted over {NUMBER} deaths; {NUMBER} doubled, {NUMBER} torn, {NUMBER} out of order, {NUMBER} hung")
# A sanitizer has memory, threads, handlers and locks of its own, which these rows take away or fork.
NOT_SANITIZED = {"fork", "fork-without-handlers", "clone", "no-threads", "no-descriptors", "console-closed"}


def torture(*words, env=None):
    environment = with_sanitizer_options(env or clean_environment(), handle_segv=0, die_after_fork=0, detect_leaks=0)
    return subprocess.run([binary("dlog-torture"), *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=10 * DEADLINE, check=False)


def only(*rows):
    return [word for row in rows for word in ("--only", row)]


def rows():
    return [line.split()[0] for line in torture("--list").stdout.splitlines()]


def as_json(done):
    """The rows by their names, and the totals."""
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["row"]: line for line in lines}, last["totals"]


class Words(unittest.TestCase):
    def test_a_table_with_totals(self):
        chosen = ("child-return", "alone-abort", "kill-child")
        done = torture("--trials", "3", *only(*chosen))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        heading, *lines = done.stdout.splitlines()
        self.assertEqual(heading.split(), ["row", "trials", "accepted", *COUNTS, "longest"])
        found = [ROW.fullmatch(line) for line in lines if not line.startswith("    ")]
        table = [match for match in found if match]
        self.assertEqual([match[1] for match in table], list(chosen), done.stdout)
        for match in table:
            self.assertEqual(match[2], "3")
            self.assertEqual([match[i] for i in range(4, 4 + len(COUNTS))], ["0"] * len(COUNTS))
            self.assertEqual(match[12], "held")
        totals = TOTALS.fullmatch(lines[-2])
        self.assertIsNotNone(totals, done.stdout)
        self.assertEqual(totals[1], "0")
        number = lambda text: int(text.replace(",", ""))  # noqa: E731
        self.assertEqual(number(totals[2]), sum(number(match[3]) for match in table))
        self.assertEqual(number(totals[3]), 3 + 3 + 3 * 3)
        self.assertEqual(lines[-1], "3 rows, 0 broken")

    def test_json(self):
        done = torture("--trials", "2", "--json", *only("child-exit", "kill-parent"))
        table, totals = as_json(done)
        self.assertEqual(list(table), ["child-exit", "kill-parent"])
        self.assertEqual(totals["accepted"], sum(row["accepted"] for row in table.values()))
        self.assertEqual((totals["rows"], totals["lost"]), (2, 0))
        self.assertIsNone(table["child-exit"]["longest_ns"])
        self.assertGreater(table["kill-parent"]["longest_ns"], 0)

    def test_what_it_refuses(self):
        with tempfile.NamedTemporaryFile() as file:
            for words, named in ((["--trials", "0"], "'0'"), (["--trials", "many"], "'many'"), (["--trials", "-1"], "'-1'"),
                                 (["--trials", "1000001"], "'1000001'"), (["--trials", "3x"], "'3x'"), (["--trials"], "--trials"),
                                 (["--seconds-max", "0.5"], "'0.5'"), (["--deadline", ""], "--deadline"), (["--only", "nothing"], "'nothing'"),
                                 (["--only"], "--only"), (["--frobnicate"], "'--frobnicate'"), (["child-return"], "'child-return'"),
                                 (["--sabotage", "gently"], "'gently'"), (["--keep-output", file.name + "/in/it"], file.name),
                                 (["--keep-output", file.name], file.name)):
                done = torture(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""), words)
                self.assertIn(named, done.stderr.splitlines()[0], words)

    def test_help_and_the_page(self):
        self.assertIn("--trials N", torture("--help").stdout)
        page = PAGE.read_text(encoding="utf-8")
        for row in rows():
            self.assertIn(f"`{row}`", page, "docs/torture.md says what each row means")

    def test_its_own_surroundings_do_not_matter(self):
        env = clean_environment(DLOG_PIPE="127.0.0.1:1", DLOG_LEVEL="off", DLOG_FORMAT="json", CI="true", DLOG_OUTPUT_FD="7")
        self.assertEqual(torture("--trials", "1", *only("child-return", "alone-exit"), env=env).returncode, 0)

    def test_the_rest_of_the_environment_reaches_the_victims(self):
        tool = subprocess.Popen([binary("dlog-torture"), *only("flood")], env=clean_environment(SOMEBODY="else", DLOG_LEVEL="off"),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            victim = until(lambda: Bounds.children_of(tool.pid), "victims")[0]
            until(lambda: Bounds.is_victim(victim), "the victim's words")
            variables = pathlib.Path(f"/proc/{victim}/environ").read_bytes().split(b"\0")
        finally:
            tool.kill()
            tool.wait()
        self.assertIn(b"SOMEBODY=else", variables)
        self.assertNotIn(b"DLOG_LEVEL=off", variables)

    def test_signals_that_its_starter_ignores(self):
        ignored = "import signal, os, sys; [signal.signal(n, signal.SIG_IGN) for n in (15, 6, 11, 17)]; os.execv(sys.argv[1], sys.argv[1:])"
        done = subprocess.run([sys.executable, "-c", ignored, binary("dlog-torture"), "--trials", "2",
                               *only("child-sigterm", "alone-abort", "child-sigsegv")],
                              env=with_sanitizer_options(clean_environment(), handle_segv=0, detect_leaks=0), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=10 * DEADLINE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


class Promises(unittest.TestCase):
    def test_all_rows_hold(self):
        skipped = NOT_SANITIZED if sanitizer("dlog-torture") else set()
        chosen = [row for row in rows() if row not in skipped]
        table, totals = as_json(torture("--trials", "4", "--json", "--deadline", "60", *only(*chosen)))
        self.assertEqual(list(table), chosen)
        # How long a call takes depends on who else runs on this machine: shown, not judged here.
        broken = {name: row for name, row in table.items() if any(row[count] for count in COUNTS if count != "blocked")}
        self.assertEqual(broken, {}, totals)
        self.assertGreater(totals["accepted"], 1000)


class Findings(unittest.TestCase):
    """A victim is told to do wrong: the row must say so. A check that cannot fail is worth nothing."""

    def assert_found(self, mode, row, count, *more):
        done = torture("--trials", "5", "--json", "--sabotage", mode, *more, *only(row))
        table, totals = as_json(done)
        self.assertEqual(done.returncode, 1, (mode, row, done.stdout))
        self.assertEqual(totals["broken"], [row], (mode, row))
        self.assertGreater(table[row][count], 0, (mode, done.stdout))
        self.assertEqual(table[row]["verdict"], "BROKEN")
        self.assertNotEqual(table[row]["faults"] if count != "blocked" else [row], [], (mode, row))

    def test_what_is_lost(self):
        for row in ("child-return", "child-flush-kill", "alone-sigterm", "alone-flush-kill", "kill-child", "kill-parent",
                    "many-children", "flood", "no-descriptors"):
            if row not in NOT_SANITIZED or not sanitizer("dlog-torture"):
                self.assert_found("lose", row, "lost")

    def test_what_is_double_torn_or_out_of_order(self):
        for mode, count in (("double", "doubled"), ("tear", "torn"), ("disorder", "disorder")):
            for row in ("child-abort", "alone-return", "kill-child", "kill-parent", "many-children"):
                self.assert_found(mode, row, count)

    def test_what_hangs(self):
        for row in ("child-exit", "alone-exit", "kill-child", "kill-parent", "console-full"):
            self.assert_found("hang", row, "hung", "--deadline", "1")

    def test_what_dies_before_its_time(self):
        for row in ("child-return", "alone-return", "many-children", "console-gone"):
            self.assert_found("crash", row, "failed")

    def test_a_call_that_is_held(self):
        for row in ("kill-parent", "flood"):
            self.assert_found("block", row, "blocked")

    def test_wrong_counts(self):
        for row in ("console-full", "console-gone", "flood"):
            self.assert_found("lose", row, "failed")

    @unittest.skipIf(sanitizer("dlog-torture"), "a sanitizer's own locks do not survive a fork of a busy process")
    def test_forked_children(self):
        for mode, count in (("lose", "lost"), ("double", "doubled"), ("crash", "failed")):
            self.assert_found(mode, "fork", count)


class Bounds(unittest.TestCase):
    def test_no_longer_than_it_may(self):
        seconds = 20 if sanitizer("dlog-torture") else 6  # each of the two rows has half of it, and begins with ten processes
        begun = time.monotonic()
        done = torture("--trials", "1000000", "--seconds-max", str(seconds), *only("child-return", "alone-return"))
        self.assertLess(time.monotonic() - begun, seconds + DEADLINE)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(len(re.findall(r"^\S.* held, cut short$", done.stdout, re.M)), 2, done.stdout)

    def test_kept_output(self):
        with tempfile.TemporaryDirectory() as folder:
            place = os.path.join(folder, "kept")
            self.assertEqual(torture("--trials", "2", "--keep-output", place, *only("alone-return")).returncode, 0)
            kept = sorted(os.listdir(place))
            self.assertEqual(kept, ["alone-return-0001-console.txt", "alone-return-0002-console.txt"])
            for name in kept:
                self.assertIn("]: rec 0 0 |\n", pathlib.Path(place, name).read_text(encoding="utf-8"))

    def test_victims_die_with_the_tool(self):
        tool = subprocess.Popen([binary("dlog-torture"), "--trials", "100", *only("flood")], env=clean_environment(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            victims = until(lambda: (lambda found: found if len(found) >= 5 else None)(self.children_of(tool.pid)), "victims")
            victims = {pid: self.begin_of(pid) for pid in victims}
        finally:
            tool.send_signal(signal.SIGKILL)
            tool.wait()
        until(lambda: not any(begin and self.begin_of(pid) == begin for pid, begin in victims.items()), "victims that live on")

    def test_victims_that_had_just_been_started_die_with_the_tool(self):
        for i in range(30):
            tool = subprocess.Popen([binary("dlog-torture"), "--trials", "100", *only("flood")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, env=clean_environment())
            time.sleep(0.02 + 0.004 * i)
            tool.send_signal(signal.SIGKILL)
            time.sleep(0.002 * (i % 3))  # killed, and not waited for
            tool.wait()
        left = {pid: self.begin_of(pid) for pid in filter(str.isdigit, os.listdir("/proc")) if self.is_victim(pid)}
        until(lambda: not any(begin and self.begin_of(pid) == begin for pid, begin in left.items()), "victims that live on")

    @staticmethod
    def children_of(pid):
        found = []
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    found += [int(word) for word in file.read().split()]
            except OSError:  # it ends
                continue
        return found

    @staticmethod
    def is_victim(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return b"dlog-torture\0victim" in file.read()
        except OSError:
            return False

    @staticmethod
    def begin_of(pid):
        """When it was started: a number may be another process's soon."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return file.read().rpartition(") ")[2].split()[19]
        except OSError:
            return None


if __name__ == "__main__":
    main()
