"""What `make deb` builds.  Its life in a clean Debian is tried by `make deb-trial`, as root."""
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import RELEASE, ROOT

NEEDED = [name for name in ("dpkg-deb", "dpkg-shlibdeps") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"{', '.join(NEEDED)} is not installed")


def build(out):
    done = subprocess.run(
        [ROOT / "tools" / "deb" / "build.sh", RELEASE, out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return pathlib.Path(done.stdout.strip())


class Package:
    def __init__(self, folder):
        self.path = build(folder / "out")
        self.tree = folder / "tree"
        self.control = folder / "control"
        subprocess.run(["dpkg-deb", "-x", self.path, self.tree], check=True)
        subprocess.run(["dpkg-deb", "-e", self.path, self.control], check=True)

    def field(self, name):
        return subprocess.run(
            ["dpkg-deb", "-f", self.path, name], capture_output=True, text=True, check=True
        ).stdout.strip()

    def files(self):
        return {str(path.relative_to(self.tree)) for path in self.tree.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return Package(tmp_path_factory.mktemp("deb"))


def test_it_has_the_programs_the_unit_the_configuration_and_the_words(package):
    assert {
        "usr/bin/kithd",
        "usr/bin/kith",
        "lib/systemd/system/kithd.service",
        "etc/kith/kith.lua",
        "usr/share/kith/scripts/demo/orders.lua",
        "usr/share/man/man8/kithd.8.gz",
        "usr/share/man/man5/kith.lua.5.gz",
        "usr/share/man/man1/kith.1.gz",
        "usr/share/bash-completion/completions/kith",
        "usr/share/zsh/vendor-completions/_kith",
        "usr/share/fish/vendor_completions.d/kith.fish",
        "usr/share/doc/kith/copyright",
        "usr/share/doc/kith/changelog.gz",
    } <= package.files()
    roots = {name.split("/")[0] for name in package.files()}
    assert roots == {"usr", "lib", "etc"} and not (package.tree / "usr/local").exists()
    assert (package.tree / "etc/kith/kith.lua").read_bytes() == (
        ROOT / "tools" / "kith.lua"
    ).read_bytes()
    assert (package.control / "conffiles").read_text() == "/etc/kith/kith.lua\n"


def test_every_command_has_its_man_page(package):
    overview = subprocess.run(
        [RELEASE / "kith", "help"], capture_output=True, text=True, check=True
    ).stdout.split("\nOptions")[0]
    names = re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)", overview, re.M)
    pages = {f"kith-{name.replace(' ', '-')}.1.gz" for name in names} | {"kith.1.gz"}
    assert {path.name for path in (package.tree / "usr/share/man/man1").iterdir()} == pages


def test_programs_run_are_stripped_and_need_what_it_depends_on(package):
    version = package.field("Version")
    for name in ("kithd", "kith"):
        program = package.tree / "usr/bin" / name
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        assert said.stdout == f"{name} {version}\n"
        assert b".debug_info" not in program.read_bytes()
    depends = package.field("Depends")
    for library in ("libc6", "liblmdb0", "liblua5.4-0", "libuv1", "tzdata", "adduser"):
        assert re.search(rf"(^|, ){re.escape(library)}\b", depends), depends


def test_nothing_in_it_is_privileged_and_all_belongs_to_root(package):
    listed = subprocess.run(
        ["dpkg-deb", "-c", package.path], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert all(line.split()[1] == "root/root" for line in listed)
    assert all(re.match(r"[-d]rw[x-]r-[x-]r-[x-]|lrwxrwxrwx", line) for line in listed), listed


def test_its_checksums_are_true_and_the_same_tree_gives_the_same_bytes(package, tmp_path):
    sums = dict(
        reversed(line.split("  "))
        for line in (package.control / "md5sums").read_text().splitlines()
    )
    assert set(sums) == package.files()
    for name, wanted in sums.items():
        assert hashlib.md5((package.tree / name).read_bytes()).hexdigest() == wanted
    assert build(tmp_path).read_bytes() == package.path.read_bytes()


def test_the_unit_has_a_user_of_its_own_and_a_sandbox(package):
    path = package.tree / "lib/systemd/system/kithd.service"
    unit = path.read_text()
    for line in (
        "User=kith",
        "StateDirectory=kith",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "SystemCallFilter=@system-service",
        "ExecStart=/usr/bin/kithd --config /etc/kith/kith.lua",
    ):
        assert f"\n{line}\n" in unit
    assert "DynamicUser" not in unit and "@" not in unit.replace("@system", "").replace(
        "~@privileged @resources", ""
    )
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the unit's lines were looked at alone")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=20", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout


def test_maintainer_scripts_are_posix_shell_and_a_purge_takes_what_was_made(package):
    for name in ("postinst", "prerm", "postrm"):
        script = package.control / name
        assert os.access(script, os.X_OK)
        subprocess.run(["sh", "-n", script], check=True)
    purge = (package.control / "postrm").read_text().split('"$1" = purge')[1]
    assert "/var/lib/kith" in purge and "/etc/kith" in purge and "deluser" in purge
    assert "/var/lib/kith" in (package.control / "postinst").read_text()


# ---- What the manual pages promise -----------------------------------------------------------


def page(package, name):
    text = gzip.decompress((package.tree / "usr/share/man" / name).read_bytes()).decode()
    return text.replace("\\-", "-")


def test_kithd_8_has_every_flag_and_no_other(package):
    usage = subprocess.run(
        [RELEASE / "kithd", "--help"], capture_output=True, text=True, check=True
    ).stdout
    flags = set(re.findall(r"--[a-z]+", usage))
    assert flags == set(re.findall(r"--[a-z]+", page(package, "man8/kithd.8.gz")))


def test_kith_lua_5_has_every_word_of_the_configuration(package):
    text = (ROOT / "core" / "script" / "settings_words.c").read_text()
    words = set(re.findall(r'"(\w+)",\n        setting_\w+,', text))
    told = set(re.findall(r"^\\fB(\w+)\\fR ", page(package, "man5/kith.lua.5.gz"), re.M))
    assert {"data", "listen", "quota"} <= words and told == words
