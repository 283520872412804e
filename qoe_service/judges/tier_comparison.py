"""What all tiers of a ladder say of the same items, and the maps that follow from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Judge
from qoe_service.judges.calibration import Frozen
from qoe_service.judges.tier_map import NotComparable, TierMap, fit_tier_map
from qoe_service.judges.tier_map_file import JudgeIdentity, StoredMap, identity_of
from qoe_service.personas import Persona

Array = NDArray[np.float64]

AT_A_TIME = 16
"""Items that are in memory together and that a judge is asked about at once."""


@dataclass(frozen=True)
class CalibrationItem:
    """A picture, drawn or read when it is needed, and the prompt that asked for it."""

    picture: Callable[[], Picture]
    prompt: str

    @classmethod
    def of(cls, picture: Picture, prompt: str) -> Self:
        """An item whose picture is there already."""
        return cls(lambda: picture, prompt)


class Comparison(Frozen):
    """What came of comparing a lower tier with the first.

    left_out: items that either could not judge. why: the commonest reason.
    refused: why there is no map.
    """

    primary: JudgeIdentity
    lower: JudgeIdentity
    items: str
    left_out: int
    why: str | None
    tier_map: TierMap | None
    refused: str | None

    @property
    def stored(self) -> StoredMap | None:
        """What is to be kept of it."""
        if self.tier_map is None:
            return None
        return StoredMap(
            primary=self.primary, lower=self.lower, items=self.items, tier_map=self.tier_map
        )


@dataclass
class Heard:
    """What one judge said of N items: scores (N, P), NaN in the rows that `failures` names."""

    judge: Judge
    rows: list[Array] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)

    def listen(self, cases: Sequence[Case], panel: Sequence[Persona]) -> None:
        """Have the next items judged, for as long as it takes."""
        found = self.judge.opinions(cases, panel, Deadline())
        begun = len(self.rows)
        self.failures |= {begun + row: failure.reason for row, failure in found.failures.items()}
        self.rows.extend(found.scores)


def compare_tiers(
    judges: Sequence[Judge],
    items: Sequence[CalibrationItem],
    panel: Sequence[Persona],
    *,
    named: str,
    run_id: str,
    samples: int,
    judged: Callable[[int], None],
) -> tuple[Comparison, ...]:
    """Have every item judged by every judge, and fit each lower one to the first.

    Args:
        named: what the items are, for the record.
        run_id: whose budget is charged.
        samples: answers that a chat judge's judgment is the mean of.
        judged: told of every so many items that a judge is through with.
    """
    heard, pictures = [Heard(judge) for judge in judges], list[str]()
    for cases in _cases(items, run_id):
        pictures += [case.picture.sha256 for case in cases]
        for each in heard:
            each.listen(cases, panel)
            judged(len(cases))
    first, *lower = heard
    return tuple(
        _compared(first, each, np.array(pictures), named=named, samples=samples) for each in lower
    )


def _cases(items: Sequence[CalibrationItem], run_id: str) -> Iterator[list[Case]]:
    for start in range(0, len(items), AT_A_TIME):
        yield [
            Case(item.picture(), item.prompt, run_id=run_id)
            for item in items[start : start + AT_A_TIME]
        ]


def _compared(
    first: Heard, lower: Heard, pictures: NDArray[np.str_], *, named: str, samples: int
) -> Comparison:
    failures = lower.failures | first.failures
    tier_map, refused = _fitted(first, lower, pictures, without=failures)
    return Comparison(
        primary=identity_of(first.judge, samples),
        lower=identity_of(lower.judge, samples),
        items=named,
        left_out=len(failures),
        why=_commonest(failures.values()) if failures else None,
        tier_map=tier_map,
        refused=refused,
    )


def _fitted(
    first: Heard, lower: Heard, pictures: NDArray[np.str_], *, without: dict[int, str]
) -> tuple[TierMap | None, str | None]:
    """A map, or why there is none."""
    both = [row for row in range(len(pictures)) if row not in without]
    people = len(first.rows[0])
    try:
        found = fit_tier_map(
            np.array([lower.rows[row] for row in both]).ravel(),
            np.array([first.rows[row] for row in both]).ravel(),
            lower=lower.judge.tier,
            primary=first.judge.tier,
            groups=np.repeat(pictures[both], people),
        )
    except NotComparable as error:
        return None, str(error)
    return found, None


def _commonest(reasons: Iterable[str]) -> str:
    return Counter(reasons).most_common(1)[0][0]
