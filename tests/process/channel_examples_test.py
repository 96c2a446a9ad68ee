"""The three examples of dlog::channel as a user meets them."""
import os
import re
import unittest

from channel_peers import HERE, NODE, channel_environment, needs_node
from support import binary, main, run

EXAMPLES = os.path.join(HERE, "..", "..", "examples", "channel")


def script(name):
    return os.path.join(EXAMPLES, name)


class Examples(unittest.TestCase):
    def shown(self, *command):
        program = run(self, *command, env=channel_environment(PATH=f"{os.path.dirname(NODE or '')}:{os.environ['PATH']}"))
        self.assertEqual(program.err.text(), "")
        return program.out.text()

    def test_ping(self):
        self.assertEqual(self.shown("channel_ping"), 'the child says {"list":[1,2,3],"seen":true,"text":"ping"}\n'
                         "40 + 2 = 42\nthe child has ended with 0\n")

    @needs_node
    def test_parent_of_a_node(self):
        lines = self.shown("channel_parent", script("node_child.js")).splitlines()
        self.assertEqual(lines, ['the child says {"echo":{"text":"ping"}}', 'the child says {"listening":true}',
                                 "the client got: served by node, for dlog", 'the child says {"served":"dlog"}', "the child has ended with 0"])

    @needs_node
    def test_child_of_a_node(self):
        text = self.shown(NODE, script("node_parent.js"), binary("channel_child"))
        self.assertRegex(text, r'^the child says {"echo":{"list":\[1,2,3\],"text":"ping"}}\n')
        self.assertEqual(len(re.findall(r"^the client got: served by process \d+$", text, re.M)), 1)
        self.assertTrue("the child has ended with 0\n" in text, text)

    def test_a_child_without_a_parent_says_so(self):
        program = run(self, "channel_child", env=channel_environment(), code=1)
        self.assertRegex(program.err.text(), "^channel_child: neither NODE_CHANNEL_FD nor DEKA_IPC_ENABLED=1 is set\n$")


if __name__ == "__main__":
    main()
