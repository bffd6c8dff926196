"""A folder with a plugin of tests/plugins in it, in the version that is wanted."""
import subprocess

from conftest import BUILD, ROOT

FLAGS = "-std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -ffp-contract=off"
SHELF = ROOT / "tests" / "plugins"


class House:
    """The plugin `name`, and what kith.lua says of it; MACRO is its version."""

    def __init__(self, folder, start, name, macro, versions):
        self.folder, self.start, self.config = folder / "plugins", start, folder / "kith.lua"
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

    def open(self, options="", **more):
        self.configure(options)
        return self.start("--config", self.config, **more)

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
