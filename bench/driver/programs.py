"""Runs the benchmark programs: each in a time limit, with nobody's settings, its file in a folder that goes away."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

NEAR_NS = 60  # a cache line that crosses faster than this crosses between near cores

# From fast to slow; only those that were built are measured.
PEERS = ("dlog", "quill", "fmtlog", "spdlog_sync", "spdlog_async", "log4cplus", "boost_log", "glog")
BAR_PEERS = ("dlog", "barkeep", "indicators")


class Programs:
    def __init__(self, folder, temporary, say, without=()):
        self.folder = pathlib.Path(folder)
        self.log_file = pathlib.Path(temporary) / "bench.log"
        self.say = say
        self.without = without  # peers that an earlier build may have left programs of
        # dlog obeys its environment; what is measured is what the program asks for.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("DLOG_")}

    def has(self, program):
        return (self.folder / program).exists()

    def peers(self, program, among=PEERS):
        return [peer for peer in among if peer not in self.without and self.has(f"{program}_{peer}")]

    def run(self, program, timeout=120, file=True, **options):
        """What the program says, as a dictionary; None if it failed, and it is told why."""
        arguments = [str(self.folder / program), *(f"--{name}={value}" for name, value in options.items())]
        if file:
            arguments.append(f"--file={self.log_file}")
        with subprocess.Popen(arguments, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
            try:
                output, errors = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its children as well; the session is its own
                output, errors = process.communicate()
                errors += f"not done within {timeout} s"
        self.log_file.unlink(missing_ok=True)
        # Some loggers talk on stdout as well.
        for line in output.splitlines():
            if line.startswith("{"):
                return json.loads(line)
        self.say(f"{' '.join(arguments)}: failed: {errors.strip()[-300:]}")
        return None

    def node(self, script, *arguments, timeout=120):
        """What a script in node/ says; None where there is no Node, or it failed."""
        command = shutil.which("node")
        if command is None:
            return None
        path = pathlib.Path(__file__).resolve().parent.parent / "node" / script
        done = subprocess.run([command, str(path), *(str(argument) for argument in arguments)], env=self.environment, timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.startswith("{"):
            return json.loads(done.stdout)
        self.say(f"{script}: failed: {done.stderr.strip()[-300:]}")
        return None

    def cache_line_ns(self):
        """What a cache line takes; None: there is one core. Who disturbs it makes near cores look far, never the other way."""
        least = None
        for _ in range(3):
            found = self.run("ping_pong", file=False, timeout=30)
            ns = found and found["one_way_ns"]
            least = ns if least is None else min(least, ns or least)
            if regime_of(least) != "far":
                break
        return least


def regime_of(ns):
    if ns is None:
        return "one core"
    return "near" if ns < NEAR_NS else "far"
