"""A worker of a pool ends with the process it works for."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.allocator.training.process_group import assert_gone

SCRIPT = """
import os, signal, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from allocator.training.lifeline import end_with_parent

if __name__ == "__main__":
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=end_with_parent) as pool:
        pool.submit(os.getpid).result()
        pool.submit(time.sleep, 600)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_busy_worker_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "hire.py").write_text(SCRIPT)
    killed = subprocess.Popen([sys.executable, tmp_path / "hire.py"], start_new_session=True)
    assert killed.wait(120) == -signal.SIGKILL
    assert_gone(killed.pid)
