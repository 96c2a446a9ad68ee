"""A system that fails: each call of each function that dlog depends on. dlog goes on with less, loses nothing or counts what it lost.

The shim (shims/t_failing_calls.cpp) has the n-th call of a function fail, or every k-th, or all from the n-th on. How many calls there
are is found out by a run in which none fails. By default some of them fail, DLOG_TEST_FULL=1 has each one fail with each error.
"""
# ctest: timeout=300
import concurrent.futures
import errno
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import extension
from support import DEADLINE, FULL, NUMBERED, PLAIN, SANITIZED, Console, Program, binary, clean_environment, main, run, until

RECORDS = 20
STATS = re.compile(r"^stats logged=(\d+) enqueued=(\d+) shown=(\d+) dropped=(\d+) undeliverable=(\d+) flushed=(\d)$", re.M)
# With which errors a function fails; the first one by default.
ERRORS = {
    "socket": ("EMFILE", "ENOBUFS", "EACCES"),
    "bind": ("EADDRINUSE", "EACCES"),
    "listen": ("EADDRINUSE",),
    "getsockname": ("ENOBUFS",),
    "getsockopt": ("ENOMEM",),
    "epoll_create1": ("EMFILE", "ENOSYS"),
    "epoll_ctl": ("ENOSPC", "ENOMEM"),
    "epoll_wait": ("EINTR", "EBADF"),
    "socketpair": ("EMFILE", "ENOBUFS"),
    "ppoll": ("EINTR", "ENOMEM"),
    "read": ("EINTR", "EIO"),
    "open": ("EMFILE", "EACCES", "EINTR"),
    "fstat": ("EOVERFLOW", "EBADF"),
    "fcntl": ("EMFILE", "EINTR"),
    "ioctl": ("EIO", "ENOTTY"),
    "madvise": ("ENOMEM", "EINVAL"),
    "syscall": ("ENOSYS", "EPERM"),
    "getrandom": ("EAGAIN", "ENOSYS"),
    "sigaction": ("EINVAL",),
    "pthread_create": ("EAGAIN", "ENOMEM"),
    "__cxa_atexit": ("ENOMEM",),
    "__cxa_at_quick_exit": ("ENOMEM",),
    "malloc": ("ENOMEM",),
}
# The same for what carries the records.
CONSOLE_ERRORS = ("ENOSPC", "EAGAIN", "EINTR", "EIO", "EPIPE")
SOCKET_ERRORS = ("EPIPE", "EAGAIN", "EINTR", "ECONNRESET", "ENOBUFS", "EIO")
# What dlog says on the console where the function fails for good.
TOLD = {
    "socket": r"cannot listen \(socket: ",
    "bind": r"cannot listen \(bind: ",
    "listen": r"cannot listen \(listen: ",
    "getsockname": r"cannot listen \(getsockname: ",
    "epoll_create1": r"no log thread \(.*\); records are written by their callers",
    "socketpair": r"no log thread \(.*\); records are written by their callers",
    "pthread_create": r"no log thread \(.*\); records are written by their callers",
    "epoll_ctl": r"children are not heard",
    "__cxa_atexit": r"the end of the process goes unseen",
}


class Outcome:
    """A program that has ended, under the shim."""

    def __init__(self, fail, *, command=(), name="own", count=RECORDS, **variables):
        self.fail = fail
        variables = {"LD_PRELOAD": binary("t_failing_calls.so"), "T_FAIL": shim_words(fail)} | variables
        try:
            ended = subprocess.run([*command, binary("t_failing"), name, str(count)], env=clean_environment(**variables),
                                   stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False)
        except subprocess.TimeoutExpired as error:
            self.code, self.out, self.err = "nothing: it hangs", str(error.stdout), str(error.stderr)
            return
        self.code, self.out, self.err = ended.returncode, ended.stdout.decode(), ended.stderr.decode("utf-8", "surrogateescape")

    def faults(self, losing=False):
        """What is wrong with it, in words. With `losing` records may be lost on the console, or never be decided about."""
        if self.code != 0:
            return [f"ended with {self.code}: {self.err[-300:]}"]
        stats = STATS.search(self.out)
        if stats is None:
            return [f"no stats: {self.out!r}"]
        logged, enqueued, shown, dropped, undeliverable, flushed = (int(number) for number in stats.groups())
        found, faults = records(self.err)
        lost = dropped + undeliverable
        if enqueued != logged:
            faults.append("not all that was logged is counted")
        if flushed and enqueued != shown + lost:
            faults.append("the counts do not add up")
        if flushed and lost:
            faults.append("flush says that nothing was lost")
        if len(found) < shown or (not losing and len(found) != shown):
            faults.append(f"{len(found)} are there")
        if not losing and not flushed and not lost:
            faults.append("flush says that something was lost")
        told = re.search(r"records (dropped|not written)", self.err)
        if not losing and not told and "]: last words\n" not in self.err:
            faults.append("what was logged after the flush is not there")
        if not losing and not told and lost:
            faults.append("nobody is told of the loss")
        return [f"{fault} ({stats[0]})" for fault in faults]


def shim_words(fail):
    """ "write 3 0 EIO" as the shim wants it."""
    function, first, every, how = fail.split()
    return f"{function} {first} {every} {getattr(errno, how, how)}"


def records(text):
    """The numbered records of a console: none torn, none twice, those of each thread in order."""
    found, faults, last = [], [], {}
    for line in text.split("\n"):
        head = PLAIN.fullmatch(line)
        match = NUMBERED.fullmatch(head["message"]) if head else None
        if match is None:
            if "rec " in line or "xxx" in line:
                faults.append(f"torn: {line[:200]!r}")
            continue
        number = int(match[2])
        if len(match[3]) != number % 97:
            faults.append(f"mixed: {line[:200]!r}")
        if number <= last.get(match[1], -1):
            faults.append(f"twice or out of order: {line[:200]!r}")
        last[match[1]] = number
        found.append((match[1], number))
    return found, faults


def count_calls(**options):
    """How often the program calls each function where none fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "counts")
        outcome = Outcome("malloc 0 0 ENOMEM", T_FAIL_COUNTS=path, **options)
        assert not outcome.faults(), outcome.faults()
        with open(path, encoding="ascii") as file:
            return {name: int(count) for name, count in (line.split() for line in file)}


def some(numbers, most):
    """All of them, or `most` spread over them."""
    numbers = list(numbers)
    if FULL or len(numbers) <= most:
        return numbers
    return [numbers[i * (len(numbers) - 1) // (most - 1)] for i in range(most)]


def ways_to_fail(function, calls, errors, most):
    """Each call alone with the first error; the others, and every third call, and all: with each error."""
    fails = []
    for error in errors if FULL else errors[:1]:
        fails += [f"{function} {n} 0 {error}" for n in some(range(1, calls + 3), most)]
    for error in errors if FULL or len(errors) <= 2 else errors[:2]:
        fails += [f"{function} 1 3 {error}", f"{function} 1 1 {error}"]
    return fails


@unittest.skipIf(SANITIZED, "a sanitizer has a library of its own to preload")
class Failing(unittest.TestCase):
    def run_all(self, fails, *, losing=False, **options):
        """Runs the program once for each way to fail; all outcomes, by that."""
        # Those that lose what they log mostly wait.
        with concurrent.futures.ThreadPoolExecutor(6 if losing else 2) as pool:
            outcomes = list(pool.map(lambda fail: Outcome(fail, **options), fails))
        faults = [f"{outcome.fail}: {fault}" for outcome in outcomes for fault in outcome.faults(losing)]
        self.assertFalse(faults, f"{len(faults)} faults in {len(outcomes)} runs:\n" + "\n".join(faults[:40]))
        return {outcome.fail: outcome for outcome in outcomes}


class Calls(Failing):
    """All but memory and what carries the records: nothing is lost."""

    def test_each_function(self):
        # A log thread that sleeps deeply calls more of them, as does one that has more to do.
        calls = count_calls(T_PARK="1000", count=1000)
        for function, errors in ERRORS.items():
            if function != "malloc":
                self.assertNotEqual(calls[function], 0, function)
                deep = function in ("syscall", "ppoll", "read")
                options = {"count": 1000} if function == "madvise" else {"T_PARK": "400" if deep else "0"}
                outcomes = self.run_all(ways_to_fail(function, calls[function], errors, 6), **options)
                for_good = outcomes[f"{function} 1 1 {errors[0]}"]
                if function in TOLD:
                    self.assertRegex(for_good.err, TOLD[function])

    def test_sleeping_that_fails_does_not_spin(self):
        for fail in ("ppoll 1 1 ENOMEM", "epoll_wait 1 1 EBADF"):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "counts")
                outcome = Outcome(fail, T_PARK="1000", T_FAIL_COUNTS=path)
                self.assertFalse(outcome.faults())
                with open(path, encoding="ascii") as file:
                    self.assertLess(int(dict(line.split() for line in file)["ppoll"]), 10_000, fail)

    def test_no_descriptor_is_left(self):
        outcome = Outcome("malloc 0 0 ENOMEM", LD_PRELOAD=None, T_DESCRIPTORS="3")
        self.assertFalse(outcome.faults())
        self.assertRegex(outcome.err, "cannot listen")
        self.assertRegex(outcome.err, "no log thread")


class Memory(Failing):
    def test_each_call(self):
        self.run_all([f"malloc {n} 0 ENOMEM" for n in some(range(1, count_calls()["malloc"] + 10), 120)])

    def test_most_calls(self):
        self.run_all([f"malloc {n} 2 ENOMEM" for n in some(range(1, 60), 12)], losing=True, T_FLUSH="300")

    def test_none_is_left(self):
        # dlog cannot even take the records in: they are shown when there is memory again, or never.
        self.run_all([f"malloc {n} 1 ENOMEM" for n in some(range(1, count_calls()["malloc"] + 10), 12)], losing=True, T_FLUSH="300")


class OwnConsole(Failing):
    """A console that fails now and then: what is lost is counted, and told where that is possible."""

    def fails(self, shorts):
        once = [f"write {n} 0 {error}" for error in CONSOLE_ERRORS for n in some(range(1, 8), 4)]
        now_and_then = [f"write {n} {every} {error}" for error in CONSOLE_ERRORS for n in (1, 2) for every in (2, 3)]
        return once + now_and_then + [f"write 1 1 short{k}" for k in shorts] + [f"write 1 2 short{k}" for k in shorts]

    def check(self, outcomes):
        for fail, outcome in outcomes.items():
            if "EAGAIN" in fail or "EINTR" in fail or "short" in fail:
                self.assertFalse(outcome.faults(), fail)
            undeliverable = int(STATS.search(outcome.out)[5])
            if undeliverable and fail.split()[2] == "0":
                self.assertRegex(outcome.err, r"records not written, more may follow", fail)

    def test_a_pipe(self):
        self.check(self.run_all(self.fails((1, 7, 100)), losing=True))

    def test_a_file(self):
        # Through a shell, as what is caught here is a pipe.
        shell = ["/bin/sh", "-c", 'file=$(mktemp); "$@" 2>"$file"; code=$?; cat "$file" >&2; rm "$file"; exit $code', "sh"]
        self.check(self.run_all(self.fails((1, 7)), losing=True, command=shell))

    def test_all_writes_fail(self):
        self.run_all([f"write 1 1 {error}" for error in CONSOLE_ERRORS], losing=True, T_FLUSH="300")

    def test_all_writes_fail_and_there_is_no_thread(self):
        # Without descriptors there is none.
        self.run_all([f"write 1 1 {error}" for error in CONSOLE_ERRORS], losing=True, T_FLUSH="300", T_DESCRIPTORS="3")


class Children(Failing):
    """A child whose connection fails goes on at its own console."""

    def ways(self):
        fails = []
        for function in ("connect", "socket", "getsockname", "getpeername", "setsockopt", "recv", "poll", "epoll_create1", "socketpair", "pthread_create"):
            fails += ways_to_fail(function, 2, ERRORS.get(function, ("ECONNREFUSED",)), 3)
        fails += [f"send {n} {every} {error}" for error in SOCKET_ERRORS for n, every in ((1, 0), (2, 0), (1, 1), (1, 3))]
        fails += ["send 1 1 short1", "send 1 1 short7", "send 1 3 short100", "connect 1 0 EINPROGRESS", "connect 1 0 EINTR"]
        fails = [fail for fail in fails if fail != "send 1 1 EAGAIN"]
        return fails + [f"malloc {n} 0 ENOMEM" for n in range(1, count_calls()["malloc"] + 40)]

    def children(self, console, **variables):
        """Each way to fail, with the child's counts and the lines that it has on both consoles, once all that it says are shown are there."""
        for number, fail in enumerate(self.ways()):
            own, before = rf"rec child{number}/. ", len(console.err.text())
            outcome = Outcome(fail, name=f"child{number}", T_FLUSH="2000", **variables)
            self.assertEqual(outcome.code, 0, f"{fail}: {outcome.err[-300:]}")
            logged, enqueued, shown, dropped, undeliverable, _ = (int(figure) for figure in STATS.search(outcome.out).groups())
            self.assertEqual(enqueued, logged, fail)
            self.assertEqual(enqueued, shown + dropped + undeliverable, fail)
            if not fail.startswith("malloc"):
                self.assertEqual(shown, logged, fail)

            def lines():
                return re.findall(rf".*{own}.*", console.err.text()[before:] + outcome.err)

            until(lambda: len(set(lines())) >= shown, lambda: f"{fail}: {outcome.out} {outcome.err}")
            yield fail, shown, lines()

    def test_of_a_foreign_parent(self):
        # Which takes its children as they come: one that leaves a connection that failed is gone before a busy parent has looked.
        console = Console(self, env=clean_environment(DLOG_TRUST="open"))
        for fail, shown, lines in self.children(console, DLOG_PIPE=console.address):
            found, faults = records("\n".join(lines))
            self.assertFalse(faults, fail)
            self.assertEqual(len(found), shown, fail)
        console.close()

    def test_of_ours(self):
        # What the parent has not confirmed is shown again.
        console = extension.OurConsole(self)
        for fail, shown, lines in self.children(console, **console.variables):
            found, faults = records("\n".join(sorted(set(lines))))
            self.assertFalse([fault for fault in faults if not fault.startswith("twice or out of order")], fail)
            self.assertGreaterEqual(len(set(found)), shown, fail)
        console.close()

    def test_a_parent(self):
        for function, errors in {"accept4": ("EMFILE", "ECONNABORTED", "EINVAL"), "recv": ("EIO", "EINTR", "EAGAIN"), "epoll_ctl": ("ENOSPC",),
                                 "epoll_wait": ("EINTR", "EBADF"), "read": ("EIO",)}.items():
            for error in errors:
                for n, every in ((1, 0), (2, 0), (1, 3), (1, 1)):
                    self.parent(f"{function} {n} {every} {error}")

    def parent(self, fail):
        env = clean_environment(LD_PRELOAD=binary("t_failing_calls.so"), T_FAIL=shim_words(fail))
        parent = Program(self, "t_failing", "own", str(RECORDS), "wait", env=env)
        address = parent.answer("address")
        child = run(self, "t_once", "child", "100", env=clean_environment(DLOG_PIPE=address))
        self.assertEqual(parent.wait(), 0, fail)
        found, faults = records(parent.err.text())
        self.assertFalse(faults, fail)
        self.assertIn(f"enqueued={2 * RECORDS} shown={2 * RECORDS} dropped=0 undeliverable=0 flushed=1", parent.out.text(), fail)
        here = [record for record in found if record[0] == "child/0"]
        there, faults = records(child.err.text())
        self.assertFalse(faults, fail)
        # Where the parent cannot look, or what it read broke, the child's records may be on their way for ever.
        if fail.split()[0] in ("read", "epoll_wait") and " 1 1 " not in fail:
            self.assertEqual(len(here), 100, fail)
        self.assertEqual(len(set(here + there)), len(here) + len(there), fail)


@unittest.skipIf(SANITIZED, "strace sees each run's own calls, and the sanitizer's are too many")
class UnderStrace(Failing):
    """The same errors given by the system itself, where strace is installed and may trace."""

    @classmethod
    def setUpClass(cls):
        if shutil.which("strace") is None:
            raise unittest.SkipTest("strace is not installed")
        if subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False).returncode != 0:
            raise unittest.SkipTest("strace may not trace here")

    def test_errors_of_write(self):
        ways = [(error, when) for error in CONSOLE_ERRORS for when in ("1", "1+3", "1+")]
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            faults = [fault for found in pool.map(lambda way: self.faults_under(*way), ways) for fault in found]
        self.assertFalse(faults)

    def faults_under(self, error, when):
        with tempfile.TemporaryDirectory() as folder:
            # Only what is written to the file: the program's answers must come.
            inject = ["strace", "-f", "-qq", "-o", os.devnull, "-P", f"{folder}/log", "-e", f"inject=write:error={error}:when={when}"]
            outcome = Outcome("malloc 0 0 ENOMEM", command=["/bin/sh", "-c", f'exec "$@" 2>{folder}/log', "sh", *inject], LD_PRELOAD=None,
                              T_FLUSH="1000")
            with open(f"{folder}/log", encoding="utf-8") as file:
                outcome.err = file.read()
        return [f"{error}, when={when}: {fault}" for fault in outcome.faults(losing=True)]


if __name__ == "__main__":
    main()
