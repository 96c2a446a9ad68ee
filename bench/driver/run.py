"""Builds the benchmarks, runs them in rounds, prints the tables and whether the goals were reached. Started by scripts/bench."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import goals
import header_cost
import measure
import programs
import tables

# Measured where their sources are given.
GIVEN_PEERS = ("quill", "fmtlog", "barkeep", "indicators")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures dlog beside other loggers.")
    parser.add_argument("--rounds", type=int, help="how often everything is measured; default 5, with --quick 1")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it works")
    parser.add_argument("--only", action="append", choices=list(tables.ALL), metavar="TABLE",
                        help=f"only this table, may be repeated: {', '.join(tables.ALL)}")
    parser.add_argument("--quill", default=os.environ.get("DLOG_BENCH_QUILL", ""), metavar="DIR",
                        help="a source tree of quill, or its include folder; also as DLOG_BENCH_QUILL")
    parser.add_argument("--fmtlog", default=os.environ.get("DLOG_BENCH_FMTLOG", ""), metavar="DIR",
                        help="a source tree of fmtlog; also as DLOG_BENCH_FMTLOG")
    for bars in ("barkeep", "indicators"):
        parser.add_argument(f"--{bars}", default=os.environ.get(f"DLOG_BENCH_{bars.upper()}", ""), metavar="DIR",
                            help=f"a source tree of {bars}; also as DLOG_BENCH_{bars.upper()}")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables here as well, as markdown")
    options = parser.parse_args()
    options.quill = folder_of(parser, options.quill, "quill/Logger.h")
    options.fmtlog = folder_of(parser, options.fmtlog, "fmtlog.h")
    options.barkeep = folder_of(parser, options.barkeep, "barkeep/barkeep.h")
    options.indicators = folder_of(parser, options.indicators, "indicators/progress_bar.hpp")
    options.rounds = max(1, options.rounds or (1 if options.quick else 5))
    return options


def folder_of(parser, given, header):
    """The include folder that was meant; empty: none was."""
    if not given:
        return ""
    for folder in (pathlib.Path(given).resolve(), pathlib.Path(given).resolve() / "include"):
        if (folder / header).exists():
            return str(folder)
    parser.error(f"no {header} in {given}")


def say(words):
    print(words, file=sys.stderr, flush=True)


def build(options):
    say("building ...")
    log = ROOT / "build" / "bench.log"
    log.parent.mkdir(exist_ok=True)
    with open(log, "w", encoding="utf-8") as output:
        peers = [f"-DDLOG_BENCH_{peer.upper()}_INCLUDE={getattr(options, peer)}" for peer in GIVEN_PEERS]
        for command in (["cmake", "--preset", "bench", *peers], ["scripts/build", "bench"]):
            if subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False).returncode != 0:
                output.flush()
                sys.exit(f"{log.read_text(encoding='utf-8')[-4000:]}\nfailed: {' '.join(command)}")


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    compiler = subprocess.run(["c++", "-dumpfullversion"], capture_output=True, text=True, check=False).stdout.strip()
    model = models[0] if models else "unknown"
    system = ".".join(os.uname().release.split(".")[:2])
    return f"{len(os.sched_getaffinity(0))} cores ({model}), Linux {system}, c++ {compiler}"


def main():
    options = arguments()
    build(options)
    names = [name for name in tables.ALL if not options.only or name in options.only]
    with tempfile.TemporaryDirectory(prefix="dlog-bench-") as folder:
        without = [peer for peer in GIVEN_PEERS if not getattr(options, peer)]
        runner = programs.Programs(ROOT / "build/bench/bin", folder, say, without)
        results = measure.measure(runner, names, options.rounds, options.quick, say)
        if "headers" in names:
            results.headers = header_cost.measure(ROOT, folder, ROOT / "build/bench/src/libdlog.a", options.quill,
                                                  options.rounds, say)
    made = [table for name in names for table in tables.ALL[name](results, runner.peers("caller_latency"))]
    made.append(goals.table(results, names))
    head = f"{machine()}; {options.rounds} round{'s' if options.rounds > 1 else ''}{', quick' if options.quick else ''}"
    print(head + "\n")
    print("\n".join(table.text() for table in made))
    if options.markdown:
        text = "\n".join([head, "", *(table.markdown() for table in made)])
        pathlib.Path(options.markdown).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
