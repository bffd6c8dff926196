"""What `make install` puts where: programs, a unit that starts, a configuration to begin with."""
import os
import pathlib
import re
import subprocess

from conftest import BUILD, ROOT


def install(destination):
    subprocess.run(
        ["cmake", "--install", str(BUILD)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=dict(os.environ, DESTDIR=str(destination)),
    )


def test_the_unit_starts_what_was_installed_with_a_configuration_that_is_there(tmp_path):
    install(tmp_path)
    (unit,) = tmp_path.rglob("kithd.service")
    program, config = re.search(
        r"^ExecStart=(\S+) --config (\S+)$", unit.read_text(), re.M
    ).groups()
    assert os.access(str(tmp_path) + program, os.X_OK)
    assert (tmp_path / config[1:]).read_text() == (ROOT / "tools" / "kith.lua").read_text()


def test_pkg_config_finds_the_header_that_was_installed(tmp_path):
    install(tmp_path)
    (found,) = tmp_path.rglob("kith.pc")
    done = subprocess.run(
        ["pkg-config", "--variable=includedir", "kith"],
        env=dict(os.environ, PKG_CONFIG_PATH=str(found.parent)),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    header = pathlib.Path(done.stdout.strip()) / "kith.h"
    assert header.read_text() == (ROOT / "plugins" / "sdk" / "kith.h").read_text()


def test_the_pages_are_installed_and_point_at_pages_that_are_there(tmp_path):
    install(tmp_path)
    (found,) = tmp_path.rglob("kith.pc")
    said = subprocess.run(
        ["pkg-config", "--variable=docdir", "kith"],
        env=dict(os.environ, PKG_CONFIG_PATH=str(found.parent)),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()
    pages = {page.name: page.read_text() for page in pathlib.Path(said).glob("*.md")}
    assert set(pages) == {"README.md"} | {page.name for page in (ROOT / "docs").glob("*.md")}
    missing = [
        (name, link)
        for name, text in pages.items()
        for link in re.findall(r"\]\(([a-z0-9-]+\.md)", text)
        if link not in pages
    ]
    assert not missing


def test_what_a_new_plugin_says_to_read_is_there_after_an_installation(tmp_path):
    """As in a prefix of one's own: neither the tree nor /usr is asked."""
    prefix = tmp_path / "prefix"
    subprocess.run(
        ["cmake", "--install", str(BUILD), "--prefix", str(prefix)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=dict(os.environ, DESTDIR=str(tmp_path / "etc")),
    )
    (program,) = tmp_path.rglob("bin/kith")
    (found,) = tmp_path.rglob("kith.pc")
    environment = dict(os.environ, PKG_CONFIG_PATH=str(found.parent), KITH=str(program))
    subprocess.run([program, "plugin", "new", "fresh"], check=True, cwd=tmp_path)
    readme = (tmp_path / "fresh" / "README.md").read_text()
    (variable,) = re.findall(r"pkg-config --variable=(\w+) kith", readme)
    docs = subprocess.run(
        ["pkg-config", f"--variable={variable}", "kith"],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()
    named = re.findall(r"`([a-z-]+\.md)`", readme)
    assert len(named) == 3
    assert all((pathlib.Path(docs) / page).is_file() for page in named)
    subprocess.run(["make", "test", "check"], check=True, cwd=tmp_path / "fresh", env=environment)


def test_a_configuration_that_is_there_already_is_kept(tmp_path):
    install(tmp_path)
    (config,) = tmp_path.rglob("etc/kith/kith.lua")
    config.write_text('data "/elsewhere"\n')
    install(tmp_path)
    assert config.read_text() == 'data "/elsewhere"\n'


def test_the_example_is_good_as_it_stands_and_with_every_line_of_it(start, tmp_path):
    text = (ROOT / "tools" / "kith.lua").read_text().replace("/var/lib/kith", str(tmp_path))
    text = text.replace("@PLUGINS@", str(BUILD / "plugins"))
    blocks = re.findall(r"^-- (\w+ *[\"{](?:.*\{\n(?:--  .*\n)+-- \}|.*))$", text, re.M)
    told = [re.sub(r"^-- ", "", block, flags=re.M) for block in blocks]
    assert {line.split()[0] for line in told} == {
        "listen",
        "url",
        "scripts",
        "zone",
        "locale",
        "country",
        "locale",
        "fallback",
        "channel",
        "plugins",
        "plugin",
        "blocked",
        "quota",
        "rate",
        "limits",
    }
    (tmp_path / "scripts").mkdir()
    (tmp_path / "erp.secret").write_text("whsec_" + "A" * 32 + "\n")
    for name, lines in (("plain", []), ("all", told)):
        path = tmp_path / f"{name}.lua"
        path.write_text("\n".join([text, *lines]) + "\n")
        assert start("--config", path, name=name).get("/healthz").status == 200
