"""Lets torchvision be imported beside a torch build that has not its compiled operators.

torchvision's wheel is built for CUDA; beside a CPU build of torch its import fails because the
operators `nms` and `qnms` are registered nowhere. Nothing here calls them, so declaring their
signatures is enough.
"""

from __future__ import annotations

from functools import cache

import torch


@cache
def ensure_operators() -> torch.library.Library | None:
    """Declare the missing operators once; the returned library must stay alive, hence the cache."""
    if _can_load_torchvision_binary():
        return None
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def _can_load_torchvision_binary() -> bool:
    """Whether torchvision's own compiled operators can register themselves in this process."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for binary in Path(spec.origin).parent.glob("_C*"):
        try:
            torch.ops.load_library(str(binary))
        except OSError:
            return False
        return True
    return False
