"""Agents' names as people write them."""

from __future__ import annotations

import re

LABELS = {
    "gddpg": "G-DDPG",
    "gddpg-mlp": "G-DDPG, MLP actor",
    "ddpg": "DDPG",
    "td3": "TD3",
    "sac": "SAC",
    "ppo": "PPO",
    "optimum": "optimum",
    "random": "random",
    "greedy": "greedy",
    "constant": "best constant",
    "equal-share": "equal share",
}


def label(agent: str) -> str:
    """`ddpg-x3` is DDPG with three times the steps of the others."""
    name, multiple = _parts(agent)
    written = LABELS.get(name, name)
    return written if multiple is None else f"{written}, {multiple} x the steps"


def short_label(agent: str) -> str:
    """The same where there is little room."""
    name, multiple = _parts(agent)
    written = LABELS.get(name, name)
    return written if multiple is None else f"{written} ×{multiple}"  # noqa: RUF001


def _parts(agent: str) -> tuple[str, str | None]:
    found = re.fullmatch(r"(.+)-x(\d+)", agent)
    return (found[1], found[2]) if found else (agent, None)
