"""The command `kith`, called with the address and a key of a daemon."""
import json
import os
import subprocess
import time

from conftest import BUILD


class Kith:
    """Calls of the command with the daemon's address and key in its environment."""

    def __init__(self, url, key):
        self.env = dict(os.environ, KITH_URL=url, KITH_KEY=key, TZ="Asia/Shanghai")

    def begin(self, *words, **options):
        return subprocess.Popen(
            [str(BUILD / "kith"), *map(str, words)],
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def run(self, *words):
        """(exit code, standard output, standard error)"""
        with self.begin(*words) as process:
            out, err = process.communicate(timeout=120)
            return process.returncode, out, err

    def __call__(self, *words):
        """Standard output of a call that must succeed; a list that says it is not the newest is
        asked for again."""
        deadline = time.monotonic() + 60
        while True:
            code, out, err = self.run(*words)
            assert code == 0, (words, out, err)
            if "the daemon is busy: this is as of entry" not in err:
                return out
            assert time.monotonic() < deadline, (words, err)

    def json(self, *words):
        return [json.loads(line) for line in self("--json", *words).splitlines()]

    def soon(self, *words, count):
        """A list of `count` items: lists come from the last checkpoint."""
        for _ in range(600):
            items = self.json(*words)
            if len(items) == count:
                return items
            time.sleep(0.1)
        raise AssertionError((words, items))


def attach(daemon):
    """The command as the admin of this daemon, which is at hand too."""
    kith = Kith(f"http://127.0.0.1:{daemon.port}", daemon.key("admin"))
    kith.daemon = daemon
    return kith
