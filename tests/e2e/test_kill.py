"""Nothing acknowledged is lost, however often the daemon is killed (see kill.py)."""
import os

import kill
import pytest

# What people run: a daemon that starts in no time can be killed more often.
BUILD = os.environ.get("KITH_RELEASE", os.path.join(kill.HERE, "../../build/release"))


@pytest.mark.long(130)
def test_three_hundred_kills_lose_nothing():
    kill.run(BUILD, 300, 1, faults=False)


@pytest.mark.long(25)
def test_a_disk_that_fails_and_fills_up_loses_nothing():
    kill.run(BUILD, 60, 2, faults=True)
