"""Programs from npm that judge or drive the daemon, of fixed versions, under build/npm/linters."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "npm" / "linters"

PACKAGES = {
    "@redocly/cli": "1.25.11",
    "@stoplight/spectral-cli": "6.11.1",
}


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
    install()
    return FOLDER / "node_modules" / ".bin" / name
