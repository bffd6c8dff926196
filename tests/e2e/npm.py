"""Programs from npm that judge or drive the daemon, of fixed versions, under build/npm/linters."""
import contextlib
import fcntl
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "npm" / "linters"

PACKAGES = {
    "@redocly/cli": "1.25.11",
    "@stoplight/spectral-cli": "6.11.1",
}


@contextlib.contextmanager
def alone():
    """One worker installs, and the others find it done."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with open(FOLDER.parent / "lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_installed(package):
    manifest = FOLDER / "node_modules" / package / "package.json"
    return manifest.exists() and f'"version": "{PACKAGES[package]}"' in manifest.read_text()


def install():
    """All of them, unless they are there."""
    missing = [package for package in PACKAGES if not is_installed(package)]
    if not missing:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "package.json").exists():
        (FOLDER / "package.json").write_text("{}\n")
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        + [f"{package}@{PACKAGES[package]}" for package in missing],
        cwd=FOLDER,
        check=True,
        timeout=600,
    )


def program(name):
    """The path of a program, installed."""
    with alone():
        install()
    return FOLDER / "node_modules" / ".bin" / name
