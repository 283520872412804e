"""One run's record in memory: the n-th verdict on a case for whoever asks for the n-th time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from qoe_service.errors import NoRecord
from qoe_service.records.answered import Asked, Recalled
from qoe_service.records.run_file import Contents

_SHOWN_CHARACTERS = 60


class RecordedRun:
    """What was said in a run, and how much of it has been said again. Thread-safe."""

    def __init__(self, run: str, path: Path, contents: Contents) -> None:
        self._run, self._path, self._torn_bytes = run, path, contents.torn_bytes
        self._said: dict[Asked, list[Recalled]] = {}
        for answered in contents.answered:
            for asked, recalled in zip(answered.asked(), answered.recalled(), strict=True):
                self._said.setdefault(asked, []).append(recalled)
        self._given: Counter[Asked] = Counter()
        self._lock = threading.Lock()

    def recall(self, cases: Sequence[Asked], people: str) -> list[Recalled]:
        """The next verdict on each; if one has none, none of them counts as asked.

        people: whose hashes the panel's are, for the error.

        Raises:
            NoRecord: naming the first case without a verdict, and why it has none.
        """
        taken: Counter[Asked] = Counter()
        found: list[Recalled] = []
        with self._lock:
            for case in cases:
                said, before = self._said.get(case, ()), self._given[case] + taken[case]
                if before >= len(said):
                    raise NoRecord(self._missing(case, before, people))
                found.append(said[before])
                taken[case] += 1
            self._given.update(taken)
        return found

    def _missing(self, case: Asked, before: int, people: str) -> str:
        tier = "any tier" if case.tier is None else f"tier {case.tier!r}"
        torn = ""
        if self._torn_bytes:
            torn = f" The last line of the record is torn ({self._torn_bytes} bytes)."
        return (
            f"run {self._run!r} has no verdict number {before + 1} on picture {case.picture[:12]} "
            f"for the prompt {_short(case.prompt)!r}, the personas {_short(people)}, "
            f"{case.delay_s:g} s of delay and {tier}, "
            f"in {self._path}: {self._why(case, before)}.{torn}"
        )

    def _why(self, case: Asked, before: int) -> str:
        if before:
            return (
                f"the last one in the record is number {before}; restart the service to replay "
                "from the beginning"
            )
        differences = min(
            (_differences(case, other) for other in self._said if other.picture == case.picture),
            key=len,
            default=None,
        )
        if differences is None:
            return "the picture was never judged in it; record the run again"
        return (
            f"the picture was judged in it, but with another {' and another '.join(differences)}; "
            "ask as it was asked then, or record the run again"
        )


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


_NAMES = {"panel": "panel (or other contents of its persona files)", "delay_s": "delay"}


def _differences(one: Asked, other: Asked) -> list[str]:
    """What differs between two cases, in words."""
    names = (field.name for field in fields(Asked))
    return [_NAMES.get(n, n) for n in names if getattr(one, n) != getattr(other, n)]
