"""Where, when and from which code an experiment ran, without names of people, hosts or folders."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "torch",
    "stable-baselines3",
    "gymnasium",
    "numpy",
    "scipy",
    "open-clip-torch",
    "diffusers",
)
GIT_TIMEOUT_S = 5


def surroundings() -> dict[str, Any]:
    """What an experiment runs in, to be asked when it starts: the code may change meanwhile.

    commit, uncommitted_changes: of the checkout the code lies in; null outside of one.
    """
    return {
        "command": command(sys.argv[1:]),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **checkout(Path(__file__)),
        "versions": {package: version(package) for package in ("persona-qoe", *PACKAGES)},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
    }


def commits_of(surroundings: Mapping[str, Any]) -> tuple[str, ...]:
    """The commit that runs there in words, none outside of a checkout."""
    commit = surroundings["commit"]
    changed = " with uncommitted changes" if surroundings["uncommitted_changes"] else ""
    return () if commit is None else (f"{commit}{changed}",)


def command(arguments: Sequence[str]) -> str:
    """The `allocator` command of these arguments: of absolute paths only the last part, of
    addresses nothing is told."""
    return shlex.join(["allocator", *map(_told, arguments)])


def _told(argument: str) -> str:
    option, equals, value = argument.partition("=") if argument.startswith("-") else ("", "", "")
    if equals:
        return f"{option}={_told(value)}"
    if "://" in argument:
        return "URL"
    return Path(argument).name if Path(argument).is_absolute() else argument


def checkout(file: Path) -> Mapping[str, str | bool | None]:
    """The commit of the git checkout that `file` belongs to, and whether tracked files differ."""
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return {"commit": None, "uncommitted_changes": None}
    changed = _git(file.parent, "status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git(file.parent, "rev-parse", "HEAD"),
        "uncommitted_changes": None if changed is None else bool(changed),
    }


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers, or None if there is no git, no checkout, or no answer in time."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def cpu_model() -> str | None:
    """The processor's name, where the system tells it."""
    told = Path("/proc/cpuinfo")
    if told.is_file():
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or None
