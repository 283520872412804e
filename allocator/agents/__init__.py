"""The agents: G-DDPG, and what it shares with its rivals, which are Stable-Baselines3's own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "GDDPG": "allocator.agents.gddpg",
    "DiffusionActor": "allocator.agents.diffusion_actor",
    "AnsweredReplayBuffer": "allocator.agents.replay",
}

__all__ = ["GDDPG", "AnsweredReplayBuffer", "DiffusionActor"]


def __getattr__(name: str) -> Any:
    """Import torch only when an agent is really asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
