"""Whoever may write the folder of the plugins may run code as the daemon."""
import shutil

from conftest import BUILD


def test_a_folder_that_everybody_may_write_is_refused(start, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    shutil.copy(BUILD / "plugins" / "sms.so", folder)
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{folder}"\nplugin "sms" {{}}\n')
    folder.chmod(0o777)
    daemon = start("--config", config, is_ready=False)
    daemon.wait_line(f"everybody may write its folder.*chmod o-w {folder}")
    assert daemon.process.wait(60) != 0
    folder.chmod(0o755)
    daemon = start("--config", config, is_ready=False)
    daemon.wait_line("plugin sms needs what it is not granted")
    assert daemon.process.wait(60) != 0
