"""Plug-ins that log are unloaded, and others come to stand where they stood."""
import unittest

from support import binary, main, messages, plain_lines, run

# The same source, compiled with another value each: their calls may have the same addresses, one after the other.
SHOWN = {"t_plugin_int": "-5", "t_plugin_unsigned": "4000000000", "t_plugin_float": "1.5", "t_plugin_text": "characters"}


class Plugins(unittest.TestCase):
    def test_load_log_unload(self):
        names = list(SHOWN) * 3
        console = run(self, "t_plugins", *(binary(name) + ".so" for name in names))
        expected = [f"{word} {SHOWN[name]}" if word not in ("text", "unloaded") else word
                    for name in names for word in ("literal", "constant", "handed", "text", "unloaded")]
        self.assertEqual(messages(plain_lines(self, console.err.text())), expected)


if __name__ == "__main__":
    main()
