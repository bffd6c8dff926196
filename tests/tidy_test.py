#!/usr/bin/python3
"""tidy_test.py -- every rule of tidy.py refuses what it is there to refuse.

A rule that never speaks is worse than none, so each test feeds one bad snippet
and expects the line and the words, and the good twin and expects silence.
"""
import contextlib
import io
import os
import tempfile
import unittest

import tidy

ESSAY = "/* {} -- a file for the test. */\n"


def breaches(path, body, essay=True):
    """`line: message` of each breach; the body starts at line 2."""
    text = (ESSAY.format(os.path.basename(path)) if essay else "") + body
    return [f"{line}: {message}" for line, message in tidy.check(path, text)]


def function(lines):
    """A function of so many lines, its signature and braces included."""
    return "int f(void)\n{\n" + "    g();\n" * (lines - 3) + "}\n"


class Rules(unittest.TestCase):
    def refuses(self, path, body, line, words, essay=True):
        found = breaches(path, body, essay)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{line}: "), found)
        self.assertIn(words, found[0])
        self.assertIn("; ", found[0], "a message says what to do")

    def accepts(self, path, body, essay=True):
        self.assertEqual(breaches(path, body, essay), [])


class Text(Rules):
    def test_a_tab_is_refused_but_in_a_makefile(self):
        self.refuses("core/base/a.c", "int x;\n\tint y;\n", 3, "a tab")
        self.refuses("tests/run.py", "if x:\n\ty()\n", 2, "a tab", essay=False)
        self.accepts("Makefile", "all:\n\ttrue\n", essay=False)

    def test_trailing_blanks_are_refused(self):
        self.refuses("docs/a.md", "one \ntwo\n", 1, "blanks at the end", essay=False)

    def test_carriage_returns_are_refused(self):
        self.refuses("docs/a.md", "one\r\n", 1, "carriage returns", essay=False)

    def test_a_file_ends_with_exactly_one_line_feed(self):
        self.refuses("docs/a.md", "one", 1, "no line feed", essay=False)
        self.refuses("docs/a.md", "one\n\n", 2, "empty lines at the end", essay=False)

    def test_a_line_has_at_most_100_columns(self):
        self.accepts("core/base/a.c", "/* " + "x" * 94 + " */\n")
        self.refuses("core/base/a.c", "/* " + "x" * 95 + " */\n", 2, "101 columns")

    def test_a_file_has_at_most_800_lines(self):
        self.accepts("core/base/a.c", "int x;\n" * 799)
        self.refuses("core/base/a.c", "int x;\n" * 800, 801, "801 lines")

    def test_leftover_markers_are_refused(self):
        for marker in tidy.MARKERS:
            self.refuses("storage/a.c", f"int x; /* {marker}: later */\n", 2, marker)
        self.accepts("storage/a.c", 'char name[] = "log-XXXXXX";\n')

    def test_paths_of_a_machine_are_refused(self):
        for folder in tidy.MACHINE_FOLDERS:
            self.refuses("docs/a.md", f"see /{folder}/x\n", 1, "path of one machine", essay=False)
        self.accepts("docs/a.md", "see docs/home/x and /srv/homework/x\n", essay=False)

    def test_hosts_of_registries_are_refused(self):
        for host in tidy.REGISTRIES:
            self.refuses("docs/a.md", f"https://{host}/x\n", 1, "registry", essay=False)


class Files(Rules):
    def test_a_source_begins_with_an_essay_that_names_it(self):
        self.refuses("core/base/a.c", "int x;\n", 1, "no opening essay", essay=False)
        self.refuses("core/base/a.c", "/* b.c -- x */\n", 1, "/* a.c -- ", essay=False)
        self.refuses("core/base/a.cc", "// a.cc -- x\n", 1, "no opening essay", essay=False)

    def test_a_guard_is_named_after_the_path(self):
        self.accepts("core/base/a.h", "#ifndef CORE_BASE_A_H\n#define CORE_BASE_A_H\n#endif\n")
        self.refuses("core/base/a.h", "#ifndef A_H\n#define A_H\n#endif\n", 2, "CORE_BASE_A_H")
        self.refuses("core/base/a.h", "#ifndef CORE_BASE_A_H\n#define A_H\n#endif\n", 3,
                     "#define CORE_BASE_A_H")
        self.refuses("core/base/a.h", "#pragma once\n", 2, "CORE_BASE_A_H")
        self.refuses("core/base/a.h", "", 1, "no header guard")

    def test_an_installed_header_is_guarded_by_its_bare_name(self):
        self.accepts("plugins/sdk/kith.h", "#ifndef KITH_H\n#define KITH_H\n#endif\n")

    def test_a_function_has_at_most_70_lines(self):
        self.accepts("core/base/a.c", function(70))
        self.refuses("core/base/a.c", "\n" + function(71), 3, "f() has 71 lines")

    def test_a_function_is_found_whatever_stands_around_it(self):
        long = function(71)
        for before in ("static const int table[] = {\n    1,\n};\n",
                       "struct a {\n    int x;\n};\n",
                       "#define TWICE(x) \\\n    do { \\\n        x; \\\n    } while (0)\n",
                       '/* a brace { in a comment */\nconst char *s = "}{";\n'):
            found = breaches("core/base/a.c", before + long)
            self.assertEqual([f"{before.count(chr(10)) + 2}: f() has 71 lines, at most 70; let the "
                              "parent branch and move the pieces below it"], found)

    def test_a_function_is_found_inside_extern_c(self):
        body = 'extern "C" {\n' + function(71) + "}\n"
        self.refuses("core/base/a.cc", body, 3, "f() has 71 lines")

    def test_the_signature_counts(self):
        body = "static int f(int a,\n             int b)\n{\n" + "    g();\n" * 67 + "}\n"
        self.refuses("core/base/a.c", body, 2, "f() has 71 lines")

    def test_a_long_table_is_not_a_function(self):
        self.accepts("core/base/a.c", "int t[] = {\n" + "    F(1),\n" * 100 + "};\n")


class Includes(Rules):
    def test_an_include_points_downwards(self):
        for place, folder in enumerate(tidy.ORDER):
            for above in tidy.ORDER[place + 1:]:
                self.refuses(folder + "a.c", f'#include "{above}b.h"\n', 2, "lies above")
            for below in tidy.ORDER[:place + 1]:
                self.accepts(folder + "a.c", f'#include "{below}b.h"\n')

    def test_what_wires_all_may_include_all_and_nobody_includes_it(self):
        self.accepts("core/kithd.c", '#include "core/cli/b.h"\n')
        self.refuses("core/cli/a.c", '#include "core/kithd.h"\n', 2, "lies above")

    def test_tests_may_include_all(self):
        self.accepts("tests/storage/test_a.c", '#include "core/cli/b.h"\n#include <lmdb.h>\n')

    def test_a_path_begins_at_the_root(self):
        self.refuses("core/base/a.c", '#include "err.h"\n', 2, "not a path from the root")
        self.refuses("core/base/a.c", '#include "../storage/b.h"\n', 2, "not a path from the root")

    def test_a_folder_outside_the_order_is_refused(self):
        self.refuses("core/misc/a.c", '#include "core/base/b.h"\n', 2, "no place in the order")

    def test_a_plugin_sees_the_contract_only(self):
        self.accepts("plugins/email/a.c", '#include "kith.h"\n#include "plugins/email/b.h"\n')
        self.refuses("plugins/email/a.c", '#include "core/base/err.h"\n', 2, "a plugin sees")
        self.refuses("plugins/email/a.c", '#include "plugins/sms/b.h"\n', 2, "a plugin sees")
        self.accepts("plugins/sdk/a.c", '#include "kith.h"\n')

    def test_lmdb_stays_in_storage(self):
        self.accepts("storage/a.c", "#include <lmdb.h>\n")
        self.refuses("core/engine/a.c", "#include <lmdb.h>\n", 2, "belongs to storage/")

    def test_lua_stays_in_script(self):
        self.accepts("core/script/a.c", "#include <lauxlib.h>\n")
        for header in ("lua.h", "lauxlib.h", "lualib.h", "lua5.4/lua.h", "lua.hpp"):
            self.refuses("core/server/a.c", f"#include <{header}>\n", 2, "belongs to core/script/")

    def test_libuv_stays_in_the_server(self):
        self.accepts("core/server/a.c", "#include <uv.h>\n")
        self.accepts("core/kithd.c", "#include <uv.h>\n")
        for header in ("uv.h", "uv/unix.h"):
            self.refuses("core/cli/a.c", f"#include <{header}>\n", 2, "belongs to core/http/")

    def test_an_include_in_a_comment_is_none(self):
        self.accepts("core/base/a.c", '/*\n#include <lmdb.h>\n#include "core/cli/b.h"\n*/\n')


class Banned(Rules):
    def test_banned_functions_are_refused_everywhere(self):
        for name in ("strcpy strcat strncpy sprintf vsprintf gets strtok atoi atol atof alloca "
                     "rand srand random").split():
            self.refuses("core/server/a.c", f"    x = {name}(y);\n", 2, f"{name}() is banned")
            self.refuses("tests/test_a.c", f"    x = {name} (y);\n", 2, f"{name}() is banned")

    def test_clocks_and_chance_are_refused_where_a_replay_runs(self):
        for name in ("time gettimeofday clock_gettime getrandom rand_r getenv").split():
            for folder in ("core/engine/", "core/script/"):
                self.refuses(folder + "a.c", f"    x = {name}(y);\n", 2, f"{name}() is banned")
            self.accepts("core/server/a.c", f"    x = {name}(y);\n")

    def test_addresses_are_refused_where_a_replay_runs(self):
        for name in ("luaL_tolstring", "lua_topointer"):
            for folder in ("core/engine/", "core/script/"):
                self.refuses(folder + "a.c", f"    x = {name}(y);\n", 2, f"{name}() is banned")
            self.accepts("core/server/a.c", f"    x = {name}(y);\n")

    def test_printing_is_for_programs(self):
        for name in ("printf", "fprintf"):
            self.refuses("core/server/a.c", f"    {name}(y);\n", 2, f"{name}() is banned")
            for path in ("core/cli/a.c", "core/kithd.c", "tests/sim/a.c"):
                self.accepts(path, f"    {name}(y);\n")

    def test_other_names_and_other_peoples_members_are_not_meant(self):
        self.accepts("core/engine/a.c", "    x = event_time(e) + a->time(a) + b.random(b);\n")
        self.accepts("core/engine/a.c", "    buf_printf(b); snprintf(c, 1, d); time_ms = 1;\n")

    def test_a_name_in_a_comment_or_a_string_is_not_a_call(self):
        self.accepts("core/engine/a.c", '/* not strcpy() */\nchar *s = "gets(x)"; // atoi()\n')


class Tree(unittest.TestCase):
    def run_on(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, content in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "wb") as file:
                    file.write(content)
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                status = tidy.main([root])
            return status, output.getvalue()

    def test_a_breach_is_reported_with_file_and_line_and_fails(self):
        status, output = self.run_on({"core/base/a.c": b"/* a.c -- x */\nint x; \n"})
        self.assertEqual(status, 1)
        self.assertIn("core/base/a.c:2: blanks", output)
        self.assertIn("1 files, 1 breaches", output)

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.run_on({"core/base/a.c": b"/* a.c -- x */\nint x;\n"})[0], 0)

    def test_what_is_not_utf8_is_reported_and_the_rest_still_read(self):
        status, output = self.run_on({"core/base/a.c": b"\xff\n", "core/base/b.c": b"int x;\n"})
        self.assertEqual(status, 1)
        self.assertIn("core/base/a.c:1: not UTF-8", output)
        self.assertIn("core/base/b.c:1: no opening essay", output)

    def test_built_files_and_data_are_not_looked_at(self):
        status, _ = self.run_on({"build/a.c": b"\t", "tests/data/a.txt": b"\t",
                                 "core/base/a.c": b"/* a.c -- x */\n"})
        self.assertEqual(status, 0)


if __name__ == "__main__":
    unittest.main()
