"""The floor plan, checked: who may include what, where the system is touched, that every source is built and has a test.

`python3 tests/house_test.py` checks this tree, and checks the checker on small bad trees made for it.
`python3 tests/house_test.py --tree <folder>` lists what is wrong in another tree.

A finding reads `file:line: rule`. Where a rule is in the way of something good, change the table below and say why in
docs/architecture.md.
"""
import pathlib
import re
import sys
import tempfile
import unittest

# Rooms from the ground up, and the rooms that each may include beside itself. Arrows run down only.
ROOMS = {
    "base": set(),
    "os": {"base"},
    "log/event": {"base"},
    "log/wire": {"log/event", "base"},
    "log/render": {"log/event", "base"},
    "log/sink": {"log/event", "log/wire", "log/render", "os", "base"},
    "log/hub": {"log/event", "log/wire", "os", "base"},
    "log/api": {"log/event", "log/sink", "log/hub", "os", "base"},
    "channel": {"os", "base"},
}

# Public headers (include/dlog) and the rooms that may include them. The words of floor 1 may be used by all who may include
# that floor; the settings by those who are set up with them; the calls that programs make by their implementation only.
FLOOR_1 = {room for room, below in ROOMS.items() if room == "log/event" or "log/event" in below}
PUBLIC = {
    "level.hpp": FLOOR_1,
    "event.hpp": FLOOR_1,
    "sink.hpp": FLOOR_1,
    "atomic.hpp": FLOOR_1,
    "capture.hpp": FLOOR_1,
    "emit.hpp": {"log/hub", "log/api"},
    "counter.hpp": FLOOR_1,
    "stats.hpp": FLOOR_1,
    "config.hpp": {"log/render", "log/sink", "log/hub", "log/api"},
    "memory_screen.hpp": {"log/sink"},
    "runtime.hpp": {"log/api"},
    "log.hpp": {"log/api"},
    "progress.hpp": {"log/api"},
    "tracked_istream.hpp": {"log/api"},
    "macros.hpp": {"log/api"},
    "dlog.hpp": {"log/api"},
    "channel.hpp": {"channel"},
}

# Libraries that one room has to itself, and what of them a public header may show.
PRIVATE_LIBRARIES = {"nlohmann/": "channel"}
PUBLIC_LIBRARIES = {"channel.hpp": {"nlohmann/json_fwd.hpp"}}

# Rooms of programs that are installed beside the library. They are what anybody might write: they see the public headers, and
# the system as well, for to start and kill processes is their work; no room of the library sees them. Each stands in a
# CMakeLists.txt of its own, and is tested as the process that it is.
PROGRAMS = {"torture"}

SYSTEM_ROOM = "os"
WITHOUT_FMT = {"base", "os", "channel"}
QUEUE_FILE = "src/log/hub/queue.cpp"
QUEUE_HEADERS = re.compile(r"(^|/)(concurrentqueue|blockingconcurrentqueue|lightweightsemaphore)\.h$|moodycamel")

# Every header of the C++20 standard library; an angle bracket around anything else is fmt, the queue or the system.
STANDARD = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits clocale cmath
codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring
ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream functional future initializer_list
iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric
optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack
stdexcept stop_token streambuf string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo
unordered_map unordered_set utility valarray variant vector version
""".split())

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>|(.*))')
PLATFORM = re.compile(r"_(posix|linux)$")


def included(path):
    """(line number, name, whether in angle brackets) of every include line; the name is None where it is no plain name."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] or match[2], match[2] is not None


def room_of(path):
    """The room of a source, by its path below src/: its folder."""
    return path.parent.as_posix()


class House:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.findings = []

    def finding(self, path, line, rule):
        self.findings.append(f"{path.relative_to(self.root)}:{line}: {rule}")

    def files(self, folder, *patterns):
        return sorted(f for pattern in patterns for f in (self.root / folder).rglob(pattern))

    def target(self, name):
        """The file of this tree that an include names, or None. Ours are named from include/ or from src/, never by `..`."""
        for folder in ("include", "src"):
            path = self.root / folder / name
            if ".." not in name.split("/") and path.is_file():
                return path
        return None

    def check(self):
        self.check_sources()
        self.check_public_headers()
        self.check_programs()
        self.check_circles()
        self.check_mirrors()
        self.check_built()
        return self.findings

    def check_sources(self):
        for path in self.files("src", "*.hpp", "*.cpp"):
            room = room_of(path.relative_to(self.root / "src"))
            if room in PROGRAMS:
                for line, name, angled in included(path):
                    self.check_program_line(path, room, line, name, angled)
                continue
            if room not in ROOMS:
                self.finding(path, 1, f"'{room}' is no room of the floor plan (ROOMS in tests/house_test.py)")
                continue
            for line, name, angled in included(path):
                self.check_source_line(path, room, line, name, angled)

    def check_program_line(self, path, room, line, name, angled):
        target = self.target(name) if name else None
        if name is None:
            self.finding(path, line, "an include names its file")
        elif target is None and not angled:
            self.finding(path, line, f'"{name}" is no file; ours are named from src/ or include/')
        elif target is None and QUEUE_HEADERS.search(name):
            self.finding(path, line, f"<{name}>: the queue shows in {QUEUE_FILE} only")
        elif target is not None and target.is_relative_to(self.root / "src"):
            other = room_of(target.relative_to(self.root / "src"))
            if other != room:
                self.finding(path, line, f"{room} may not include {other}: a program sees public headers only")

    def check_source_line(self, path, room, line, name, angled):
        if name is None:
            self.finding(path, line, "an include names its file")
            return
        target = self.target(name)
        if QUEUE_HEADERS.search(name):
            if path.relative_to(self.root).as_posix() != QUEUE_FILE:
                self.finding(path, line, f"<{name}>: the queue shows in {QUEUE_FILE} only")
        elif target is None and not angled:
            self.finding(path, line, f'"{name}" is no file; ours are named from src/ or include/')
        elif target is None:
            if name.startswith("fmt/"):
                if room in WITHOUT_FMT:
                    self.finding(path, line, f"{room} may not include <{name}>: it stands on the standard library")
            elif any(name.startswith(library) for library in PRIVATE_LIBRARIES):
                owner = next(owner for library, owner in PRIVATE_LIBRARIES.items() if name.startswith(library))
                if room != owner:
                    self.finding(path, line, f"{room} may not include <{name}>: it shows in src/{owner} only")
            elif name not in STANDARD and room != SYSTEM_ROOM:
                self.finding(path, line, f"{room} may not include <{name}>: system headers show in src/{SYSTEM_ROOM} only")
        elif target.is_relative_to(self.root / "include"):
            header = target.name
            if header not in PUBLIC:
                self.finding(path, line, f'"{name}" has no place in the floor plan (PUBLIC in tests/house_test.py)')
            elif room not in PUBLIC[header]:
                self.finding(path, line, f'{room} may not include "{name}"')
        else:
            other = room_of(target.relative_to(self.root / "src"))
            if other != room and (other in PROGRAMS or (other in ROOMS and other not in ROOMS[room])):
                self.finding(path, line, f"{room} may not include {other}")

    def check_public_headers(self):
        for path in self.files("include", "*.hpp"):
            for line, name, angled in included(path):
                if name is None:
                    self.finding(path, line, "an include names its file")
                elif not self.public(name, angled) and name not in PUBLIC_LIBRARIES.get(path.name, ()):
                    self.finding(path, line, f"{name}: public headers include public headers, the standard library and fmt only")

    def public(self, name, angled):
        target = self.target(name)
        if target is not None:
            return target.is_relative_to(self.root / "include")
        return angled and (name.startswith("fmt/") or name in STANDARD)

    def check_programs(self):
        """Examples, benchmarks and the process tests' programs are what anybody might write: they see no internals."""
        for folder in ("examples", "bench", "tests/process/programs"):
            for path in self.files(folder, "*.cpp", "*.hpp"):
                for line, name, _ in included(path):
                    target = self.target(name) if name else None
                    if target is not None and not target.is_relative_to(self.root / "include"):
                        self.finding(path, line, f'"{name}": programs outside src/ include public headers only')

    def check_circles(self):
        done = set()

        def walk(path, way):
            for line, name, _ in included(path):
                target = self.target(name) if name else None
                if target is None or target in done:
                    continue
                if target in way:
                    circle = [p.relative_to(self.root).as_posix() for p in way[way.index(target):]]
                    self.finding(path, line, f"a circle: {' -> '.join([*circle, circle[0]])}")
                else:
                    walk(target, [*way, target])
            done.add(path)

        for path in self.files("include", "*.hpp") + self.files("src", "*.hpp", "*.cpp"):
            if path not in done:
                walk(path, [path])

    def check_mirrors(self):
        for path in self.files("src", "*.cpp"):
            room = room_of(path.relative_to(self.root / "src"))
            unit = PLATFORM.sub("", path.stem)
            mirrors = [f"tests/{room.split('/')[-1]}/{unit}_test.cpp"]
            if room in PROGRAMS:
                mirrors.append(f"tests/process/{room}_test.py")
            if room == "log/api":  # what only a whole process shows
                mirrors.append(f"tests/process/{unit}_test.py")
            if not any((self.root / mirror).is_file() for mirror in mirrors):
                self.finding(path, 1, f"has no test: {' or '.join(mirrors)}")

    def check_built(self):
        listed = (self.root / "src/CMakeLists.txt").read_text(encoding="utf-8").split()
        for path in self.files("src", "*.cpp"):
            room = room_of(path.relative_to(self.root / "src"))
            if room in PROGRAMS:
                list_of_program = self.root / "src" / room / "CMakeLists.txt"
                if path.name not in list_of_program.read_text(encoding="utf-8").split():
                    self.finding(path, 1, f"is not listed in src/{room}/CMakeLists.txt: nobody builds it")
            elif path.relative_to(self.root / "src").as_posix() not in listed:
                self.finding(path, 1, "is not listed in src/CMakeLists.txt: nobody builds it")


class ThisTree(unittest.TestCase):
    def test_keeps_the_floor_plan(self):
        root = pathlib.Path(__file__).resolve().parent.parent
        self.assertTrue((root / "src/log").is_dir())
        findings = House(root).check()
        self.assertEqual(findings, [], "\n" + "\n".join(findings))


class BadTrees(unittest.TestCase):
    """A good small tree, one thing made bad, and exactly that is found."""

    good = {
        "include/dlog/level.hpp": "#include <cstdint>\n",
        "include/dlog/config.hpp": '#include "dlog/level.hpp"\n#include <fmt/core.h>\n',
        "include/dlog/runtime.hpp": '#include "dlog/config.hpp"\n',
        "src/base/utf8.hpp": "#include <string>\n",
        "src/base/utf8.cpp": '#include "base/utf8.hpp"\n',
        "src/os/clock.hpp": '#include "base/utf8.hpp"\n',
        "src/os/clock_posix.cpp": '#include "os/clock.hpp"\n#include <unistd.h>\n#include <sys/time.h>\n',
        "src/log/event/outlet.hpp": '#include "dlog/level.hpp"\n',
        "src/log/render/frame.cpp": '#include "log/event/outlet.hpp"\n#include "dlog/config.hpp"\n#include <fmt/format.h>\n',
        "src/log/hub/queue.cpp": "#include <concurrentqueue.h>\n",
        "src/log/api/runtime.cpp": '#include "dlog/runtime.hpp"\n#include "log/event/outlet.hpp"\n',
        "include/dlog/channel.hpp": "#include <nlohmann/json_fwd.hpp>\n",
        "src/channel/link.cpp": '#include "dlog/channel.hpp"\n#include "os/clock.hpp"\n#include <nlohmann/json.hpp>\n',
        "src/torture/tally.hpp": "#include <string>\n",
        "src/torture/main.cpp": '#include "torture/tally.hpp"\n#include "dlog/runtime.hpp"\n#include <fmt/core.h>\n#include <spawn.h>\n',
        "src/torture/CMakeLists.txt": "add_executable(dlog-torture\n  main.cpp\n)\n",
        "tests/base/utf8_test.cpp": "",
        "tests/os/clock_test.cpp": "",
        "tests/render/frame_test.cpp": "",
        "tests/hub/queue_test.cpp": "",
        "tests/channel/link_test.cpp": "",
        "tests/process/runtime_test.py": "",
        "tests/process/torture_test.py": "",
        "tests/process/programs/loud.cpp": '#include "dlog/runtime.hpp"\n#include <unistd.h>\n',
        "examples/hello.cpp": '#include <dlog/runtime.hpp>\n',
    }

    def findings(self, changes=None, unlisted=()):
        files = {**self.good, **(changes or {})}
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            sources = [n.removeprefix("src/") for n in files if n.startswith("src/") and n.endswith(".cpp")]
            files["src/CMakeLists.txt"] = "\n".join(s for s in sources if s not in unlisted)
            for name, text in files.items():
                if text is not None:
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    (root / name).write_text(text, encoding="utf-8")
            return House(root).check()

    def assert_found(self, changes, *expected):
        found = self.findings(changes)
        self.assertEqual(len(found), len(expected), found)
        for finding, start in zip(found, expected):
            self.assertTrue(finding.startswith(start), f"{finding!r} does not start with {start!r}")

    def test_a_good_tree_has_no_finding(self):
        self.assertEqual(self.findings(), [])

    def test_an_arrow_upwards(self):
        self.assert_found({"src/base/utf8.hpp": '#include <string>\n#include "os/clock.hpp"\n', "src/os/clock.hpp": ""},
                          "src/base/utf8.hpp:2: base may not include os")

    def test_an_arrow_sideways(self):
        self.assert_found({"src/log/wire/format.hpp": "", "src/log/render/frame.cpp": '#include "log/wire/format.hpp"\n'},
                          "src/log/render/frame.cpp:1: log/render may not include log/wire")

    def test_the_renderers_see_no_system(self):
        self.assert_found({"src/log/render/frame.cpp": '\n#include "os/clock.hpp"\n'},
                          "src/log/render/frame.cpp:2: log/render may not include os")

    def test_a_room_that_is_not_in_the_plan(self):
        self.assert_found({"src/log/util/helper.hpp": ""}, "src/log/util/helper.hpp:1: 'log/util' is no room")

    def test_system_headers_outside_os(self):
        for header in ("sys/socket.h", "netinet/in.h", "arpa/inet.h", "unistd.h", "fcntl.h", "poll.h", "signal.h", "pthread.h",
                       "linux/futex.h", "string.h"):
            self.assert_found({"src/log/render/frame.cpp": f"  #  include <{header}>  // why\n"},
                              f"src/log/render/frame.cpp:1: log/render may not include <{header}>")

    def test_the_queue_shows_in_one_file(self):
        for name in ("<concurrentqueue.h>", "<concurrentqueue/concurrentqueue.h>", '"moodycamel/blockingconcurrentqueue.h"'):
            self.assert_found({"src/log/hub/outlet.hpp": f"#include {name}\n"}, "src/log/hub/outlet.hpp:1: ")
            self.assert_found({"src/os/clock.hpp": f"#include {name}\n"}, "src/os/clock.hpp:1: ")

    def test_public_headers_see_nothing_of_ours(self):
        for name in ('"base/utf8.hpp"', "<concurrentqueue.h>", "<unistd.h>", '"nothing.hpp"', "SOME_MACRO"):
            self.assert_found({"include/dlog/level.hpp": f"#include {name}\n"}, "include/dlog/level.hpp:1: ")

    def test_public_headers_above_a_room(self):
        self.assert_found({"src/log/render/frame.cpp": '#include "dlog/runtime.hpp"\n'},
                          'src/log/render/frame.cpp:1: log/render may not include "dlog/runtime.hpp"')
        self.assert_found({"src/base/utf8.hpp": '#include "dlog/level.hpp"\n'}, "src/base/utf8.hpp:1: base may not include")
        self.assert_found({"src/log/hub/queue.cpp": '#include <dlog/runtime.hpp>\n'}, "src/log/hub/queue.cpp:1: log/hub may not")

    def test_a_public_header_that_is_not_in_the_plan(self):
        self.assert_found({"include/dlog/more.hpp": "", "src/log/api/runtime.cpp": '#include "dlog/more.hpp"\n'},
                          'src/log/api/runtime.cpp:1: "dlog/more.hpp" has no place')

    def test_the_channel_and_the_log_plane_do_not_know_each_other(self):
        self.assert_found({"src/channel/link.cpp": '#include "log/event/outlet.hpp"\n'},
                          "src/channel/link.cpp:1: channel may not include log/event")
        self.assert_found({"src/channel/link.cpp": '#include "dlog/level.hpp"\n'}, 'src/channel/link.cpp:1: channel may not include "dlog/level.hpp"')
        self.assert_found({"src/channel/line.hpp": "", "src/log/render/frame.cpp": '#include "channel/line.hpp"\n'},
                          "src/log/render/frame.cpp:1: log/render may not include channel")
        self.assert_found({"src/log/api/runtime.cpp": '#include "dlog/channel.hpp"\n'},
                          'src/log/api/runtime.cpp:1: log/api may not include "dlog/channel.hpp"')

    def test_a_library_of_one_room(self):
        self.assert_found({"src/log/hub/queue.cpp": "#include <nlohmann/json.hpp>\n"},
                          "src/log/hub/queue.cpp:1: log/hub may not include <nlohmann/json.hpp>: it shows in src/channel only")
        self.assert_found({"include/dlog/channel.hpp": "#include <nlohmann/json.hpp>\n"}, "include/dlog/channel.hpp:1: ")
        self.assert_found({"include/dlog/level.hpp": "#include <nlohmann/json_fwd.hpp>\n"}, "include/dlog/level.hpp:1: ")
        self.assert_found({"src/channel/link.cpp": "#include <fmt/core.h>\n"}, "src/channel/link.cpp:1: channel may not include <fmt/core.h>")

    def test_the_ground_stands_without_fmt(self):
        self.assert_found({"src/base/utf8.cpp": "#include <fmt/core.h>\n"}, "src/base/utf8.cpp:1: base may not include <fmt/core.h>")

    def test_names_that_are_no_file(self):
        self.assert_found({"src/os/clock_posix.cpp": '#include "clock.hpp"\n'}, 'src/os/clock_posix.cpp:1: "clock.hpp" is no file')
        self.assert_found({"src/os/clock_posix.cpp": '#include "../base/utf8.hpp"\n'}, "src/os/clock_posix.cpp:1: ")
        self.assert_found({"src/os/clock_posix.cpp": "#include HEADER\n"}, "src/os/clock_posix.cpp:1: an include names its file")

    def test_a_circle(self):
        self.assert_found({"src/base/utf8.hpp": '#include "base/text.hpp"\n', "src/base/text.hpp": '#include "base/utf8.hpp"\n'},
                          "src/base/utf8.hpp:1: a circle: src/base/text.hpp -> src/base/utf8.hpp -> src/base/text.hpp")
        self.assert_found({"src/base/utf8.hpp": '\n#include "base/utf8.hpp"\n'}, "src/base/utf8.hpp:2: a circle")
        self.assert_found({"include/dlog/level.hpp": '#include "dlog/config.hpp"\n'}, "include/dlog/level.hpp:1: a circle")

    def test_programs_see_public_headers_only(self):
        for program in ("examples/hello.cpp", "bench/speed.cpp", "tests/process/programs/loud.cpp"):
            self.assert_found({program: '#include "os/clock.hpp"\n'}, f"{program}:1: ")

    def test_an_installed_program_sees_public_headers_only(self):
        for name in ("log/event/outlet.hpp", "os/clock.hpp", "base/utf8.hpp"):
            self.assert_found({"src/torture/tally.hpp": f'#include "{name}"\n'},
                              f"src/torture/tally.hpp:1: torture may not include {name.rsplit('/', 1)[0]}")
        self.assert_found({"src/torture/tally.hpp": "#include <concurrentqueue.h>\n"}, "src/torture/tally.hpp:1: ")
        self.assert_found({"src/torture/tally.hpp": '#include "tally.hpp"\n'}, 'src/torture/tally.hpp:1: "tally.hpp" is no file')

    def test_the_library_sees_no_program(self):
        self.assert_found({"src/os/clock_posix.cpp": '#include "torture/tally.hpp"\n'},
                          "src/os/clock_posix.cpp:1: os may not include torture")

    def test_a_program_that_is_not_built_or_not_tested(self):
        self.assert_found({"src/torture/CMakeLists.txt": ""}, "src/torture/main.cpp:1: is not listed in src/torture/CMakeLists.txt")
        self.assert_found({"tests/process/torture_test.py": None}, "src/torture/main.cpp:1: has no test: ")

    def test_a_source_without_its_test(self):
        self.assert_found({"tests/os/clock_test.cpp": None},
                          "src/os/clock_posix.cpp:1: has no test: tests/os/clock_test.cpp")
        self.assert_found({"tests/hub/queue_test.cpp": None, "tests/process/queue_test.py": ""},
                          "src/log/hub/queue.cpp:1: has no test: tests/hub/queue_test.cpp")
        self.assert_found({"tests/process/runtime_test.py": None},
                          "src/log/api/runtime.cpp:1: has no test: tests/api/runtime_test.cpp or tests/process/runtime_test.py")

    def test_a_source_that_nobody_builds(self):
        found = self.findings(unlisted=["os/clock_posix.cpp"])
        self.assertEqual(found, ["src/os/clock_posix.cpp:1: is not listed in src/CMakeLists.txt: nobody builds it"])

    def test_the_plan_itself_has_no_circle(self):
        for room, below in ROOMS.items():
            for other in below:
                self.assertNotIn(room, ROOMS[other], f"{room} and {other} may include each other")
                self.assertLessEqual(list(ROOMS).index(other), list(ROOMS).index(room), "rooms are listed from the ground up")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--tree"]:
        problems = House(sys.argv[2]).check()
        print("\n".join(problems))
        sys.exit(1 if problems else 0)
    unittest.main()
