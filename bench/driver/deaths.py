"""Kills loggers in many ways, and counts what their files lack. Started by scripts/compare-deaths."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tables

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAYS = ("return", "exit", "quick_exit", "abort", "SIGTERM", "SIGSEGV", "SIGKILL", "flush, SIGKILL")
HUNG_AFTER_S = 2
FORKS_AT_A_TIME = 20
# What is compared: the program, and what its environment holds.
SIDES = {
    "dlog": ("deaths_dlog", {}),
    "dlog, DLOG_HANDLE_SIGNALS": ("deaths_dlog", {"DLOG_HANDLE_SIGNALS": "true"}),
    "spdlog async": ("deaths_spdlog_async", {}),
}
RECORD = re.compile(rb"request (\d+) took 12\.5 us from 10\.0\.0\.7+\n")


class Count:
    def __init__(self):
        self.accepted = self.lost = self.hung = self.deaths = 0

    def add(self, deaths, accepted, file, hung):
        """Records of a file that is looked at once more or less: numbers from 0 on."""
        shown = {int(number) for number in RECORD.findall(file.read_bytes())} if file.exists() else set()
        self.deaths += deaths
        self.accepted += accepted
        self.lost += accepted - len(shown & set(range(accepted)))
        self.hung += hung

    def text(self):
        return f"{self.lost:,} of {self.accepted:,}" + (f", {self.hung} of {self.deaths} hang" if self.hung else "")


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/compare-deaths", description="What dying programs lose, with dlog and with spdlog.")
    parser.add_argument("--deaths", type=int, default=200, help="of each kind")
    parser.add_argument("--records", type=int, default=1000, help="that each process logs before it dies")
    parser.add_argument("--bin", metavar="DIR", help="where the programs are built already")
    options = parser.parse_args()
    options.deaths, options.records = max(1, options.deaths), max(1, options.records)
    return options


def run(program, environment, limit, **options):
    """What it printed, and whether it hung; such a one is killed by its number."""
    command = [str(program), *(f"--{name}={value}" for name, value in options.items())]
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            return process.communicate(timeout=limit)[0], False
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0], True


def die(way, side, options, folder, file):
    program, variables = SIDES[side]
    environment = clean_environment() | variables
    count = Count()
    for _ in range(options.deaths):
        _, hung = run(folder / program, environment, HUNG_AFTER_S, end=way, records=options.records, file=file)
        count.add(1, options.records, file, hung)
        file.unlink(missing_ok=True)
    return count


def fork(side, options, folder, file):
    """Many children at a time, for each that hangs costs two seconds."""
    program, variables = SIDES[side]
    environment = clean_environment() | variables | {"DLOG_JOIN_PARENT": "true"}
    count = Count()
    while count.deaths < options.deaths:
        forks = min(FORKS_AT_A_TIME, options.deaths - count.deaths)
        said, parent_hung = run(folder / program, environment, 10 * HUNG_AFTER_S, forks=forks, records=options.records, file=file)
        # What hangs before it has counted leaves nobody to ask.
        hung = json.loads(said)["hung"] + parent_hung if said.startswith(b"{") else forks
        count.add(forks, forks * options.records, file, hung)
        file.unlink(missing_ok=True)
    return count


def clean_environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("DLOG_")}


def build():
    """The programs of this comparison only."""
    targets = sorted({program for program, _ in SIDES.values()})
    log = subprocess.run(["scripts/build", "bench", *targets], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if log.returncode != 0:
        sys.exit(log.stdout[-4000:])
    return ROOT / "build/bench/bin"


def main():
    options = arguments()
    folder = pathlib.Path(options.bin) if options.bin else build()
    table = tables.Table(f"Records lost of those whose call had returned; {options.deaths} deaths each", ["right after the last record", *SIDES])
    with tempfile.TemporaryDirectory(prefix="dlog-deaths-") as temporary:
        file = pathlib.Path(temporary) / "log"
        for way in WAYS:
            table.row(way, *(die(way, side, options, folder, file).text() for side in SIDES))
        table.row("fork without exec, return", *(fork(side, options, folder, file).text() for side in SIDES))
    print(table.text())


if __name__ == "__main__":
    main()
