"""A folder with a plugin of tests/plugins in it, in the version that is wanted."""
import os
import subprocess

from conftest import BUILD, ROOT

FLAGS = (
    "-std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror "
    "-fPIC -shared -fvisibility=hidden -ffp-contract=off"
)
# A sanitizer would report the signal that a plugin dies of.
BARE = {
    name: os.environ.get(name, "") + ":handle_segv=0:handle_sigbus=0"
    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
}
SHELF = ROOT / "tests" / "plugins"


class House:
    """The plugin `name`, and what kith.lua says of it; MACRO is its version."""

    def __init__(self, folder, start, name, macro, versions):
        self.folder, self.config = folder / "plugins", folder / "kith.lua"
        self.begin_daemon = start
        self.name, self.macro = name, macro
        self.folder.mkdir()
        self.built = {number: self.build(folder, number) for number in versions}
        self.put(1)

    def build(self, folder, number):
        out = folder / f"{number}.so"
        sources = ["-I", ROOT / "plugins" / "sdk", "-o", out, SHELF / f"{self.name}.c"]
        subprocess.run(["cc", *FLAGS.split(), f"-D{self.macro}={number}", *sources], check=True)
        return out.read_bytes()

    def put(self, number):
        self.put_bytes(self.built[number])

    def put_bytes(self, data):
        beside = self.folder / "coming"
        beside.write_bytes(data)
        beside.replace(self.folder / f"{self.name}.so")

    def configure(self, options=""):
        self.config.write_text(
            f'plugins "{self.folder}"\nplugin "{self.name}" {{ {options} }}\n', "utf-8"
        )

    def start(self, *flags):
        return self.begin_daemon(*flags, env=BARE)

    def open(self, options=""):
        self.configure(options)
        return self.start("--config", self.config)

    def reload(self, daemon):
        return daemon.post(f"/v1/plugins/{self.name}/reload", {})


def verified(daemon):
    answer = daemon.post("/v1/verify", {}).json
    return answer["ok"], answer["faults"], answer["hash"] == answer["fresh"]


def kith(daemon, *words):
    done = subprocess.run(
        [BUILD / "kith", *words],
        capture_output=True,
        text=True,
        check=False,
        env={"KITH_URL": f"http://127.0.0.1:{daemon.port}", "KITH_KEY": daemon.key("admin")},
    )
    return done.returncode, done.stdout, done.stderr
