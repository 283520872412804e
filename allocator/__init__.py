"""The wireless edge of a picture service, and those who learn to manage it.

Importing this package makes its Gymnasium scenarios known; everything heavy is loaded on use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from allocator.registration import register_scenarios_with_gymnasium

PUBLIC = {
    "DenoisingPlan": "allocator.plan",
    "Handoff": "allocator.plan",
    "Segment": "allocator.plan",
    "GDDPG": "allocator.agents.gddpg",
    "HttpOracle": "allocator.oracle",
    "LocalOracle": "allocator.oracle",
    "SharedDenoising": "allocator.scenarios.shared_denoising",
}

register_scenarios_with_gymnasium()


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'allocator' has no attribute {name!r}")
    return getattr(import_module(PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *PUBLIC])
