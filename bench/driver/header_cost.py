"""What including and calling a logger costs: seconds of the compiler, bytes of code a call, bytes of the library.

The sources are made here: `count` calls, half of them record A and half with three integers, every one with a text of its own.
"""
import os
import shutil
import subprocess
import time

CALL_COUNTS = (1, 10, 100)
COMPILERS = ("g++", "clang++-16")
FLAGS = ("-std=c++20", "-O2", "-DNDEBUG")
PARAMETERS = "unsigned long number, double us, const std::string& from, int a, int b, int c"


class Logger:
    def __init__(self, name, includes, call, flags, parameter=""):
        self.name, self.includes, self.call, self.flags, self.parameter = name, includes, call, flags, parameter

    def source(self, kinds):
        """One call for each of `kinds`: "a" or "ints"."""
        lines = [f"#include <{name}>" for name in (*self.includes, "string")]
        lines += [f"void calls({self.parameter}{PARAMETERS});", f"void calls({self.parameter}{PARAMETERS}) {{"]
        for number, kind in enumerate(kinds):
            text, arguments = (f"request {number} {{}} took {{}} us from {{}}", "number, us, from") if kind == "a" \
                else (f"point {number} {{}} {{}} {{}}", "a, b, c")
            lines.append("  " + self.call.format(f'"{text}", {arguments}'))
        # All are used, however few calls there are.
        lines.append("  (void)number, (void)us, (void)from, (void)a, (void)b, (void)c;")
        return "\n".join([*lines, "}", ""])


def loggers(root, quill):
    """The loggers that are there; the first one is nothing at all, to compare with."""
    found = [Logger("nothing", (), "(void)sizeof({0});", ()),
             Logger("dlog", ("dlog/log.hpp",), "dlog::info({0});", (f"-I{root}/include",))]
    if quill:
        found.append(Logger("quill", ("quill/LogMacros.h", "quill/Logger.h"), "LOG_INFO(logger, {0});",
                            ("-isystem", str(quill)), "quill::Logger* logger, "))
    if os.path.exists("/usr/include/spdlog/spdlog.h"):
        found.append(Logger("spdlog_compiled", ("spdlog/spdlog.h",), "spdlog::info({0});",
                            ("-DSPDLOG_COMPILED_LIB", "-DSPDLOG_FMT_EXTERNAL")))
    return found


def compile_seconds(compiler, logger, source, target):
    """CPU seconds of one compilation: unlike the time on the clock they do not depend on who else is busy."""
    start = os.times()
    subprocess.run([compiler, *FLAGS, *logger.flags, "-c", source, "-o", target], check=True, timeout=300)
    end = os.times()
    return end.children_user - start.children_user + end.children_system - start.children_system


def code_bytes(file):
    """The size of all sections with code in them."""
    lines = subprocess.run(["size", "-A", file], check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    fields = (line.split() for line in lines)
    return sum(int(f[1]) for f in fields if len(f) == 3 and f[0].startswith(".text"))


class HeaderCost:
    def __init__(self, root, folder, quill):
        self.folder = folder
        self.loggers = loggers(root, quill)
        self.compilers = [c for c in COMPILERS if shutil.which(c)]

    def written(self, logger, kinds, name):
        path = os.path.join(self.folder, f"{logger.name}_{name}.cpp")
        with open(path, "w", encoding="utf-8") as file:
            file.write(logger.source(kinds))
        return path

    def compile_times(self, compiler):
        """One round: {(logger, calls): seconds}. Nothing has no calls to compare."""
        took = {}
        for logger in self.loggers:
            for count in CALL_COUNTS if logger.name != "nothing" else (1,):
                kinds = [("a", "ints")[i % 2] for i in range(count)]
                source = self.written(logger, kinds, count)
                took[logger.name, count] = compile_seconds(compiler, logger, source, source + ".o")
        return took

    def bytes_a_call(self, compiler):
        """{(logger, kind): bytes}: what the 2nd to the 101st call add."""
        found = {}
        for logger in self.loggers[1:]:
            for kind in ("ints", "a"):
                sizes = []
                for count in (1, 101):
                    source = self.written(logger, [kind] * count, f"{kind}_{count}")
                    compile_seconds(compiler, logger, source, source + ".o")
                    sizes.append(code_bytes(source + ".o"))
                found[logger.name, kind] = (sizes[1] - sizes[0]) / 100
        return found

    def library_bytes(self, archive):
        """The library as it was built: code in the archive, code and file size as a stripped shared library."""
        shared = os.path.join(self.folder, "libdlog.so")
        subprocess.run(["g++", "-shared", "-s", "-o", shared, "-Wl,--whole-archive", archive, "-Wl,--no-whole-archive",
                        "-lfmt", "-pthread"], check=True, timeout=120)
        return {"archive_code": code_bytes(archive), "shared_code": code_bytes(shared), "shared_file": os.path.getsize(shared)}


def measure(root, folder, archive, quill, rounds, say):
    cost = HeaderCost(root, folder, quill)
    times = {compiler: [] for compiler in cost.compilers}
    for number in range(rounds):
        for compiler in cost.compilers:
            start = time.monotonic()
            times[compiler].append(cost.compile_times(compiler))
            say(f"headers, round {number + 1}/{rounds}, {compiler}: {time.monotonic() - start:.0f} s")
    return {"times": times, "bytes": {compiler: cost.bytes_a_call(compiler) for compiler in cost.compilers},
            "library": cost.library_bytes(archive)}
