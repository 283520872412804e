from __future__ import annotations

import subprocess
import sys


def test_open_clip_can_be_imported_whatever_the_torch_build() -> None:
    program = (
        "from tinyworld.torchvision_operators import ensure_operators;"
        "ensure_operators(); ensure_operators(); import open_clip"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
