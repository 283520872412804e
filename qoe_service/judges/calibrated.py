"""Judges of the lower rungs, told on the scale of the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qoe_service.judges import Case, Deadline, Judge, Opinions
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.tier_map import TierMap
from qoe_service.judges.tier_map_file import TierMaps, identity_of
from qoe_service.personas import Persona
from qoe_service.schemas import InterviewVerdict


@dataclass(frozen=True)
class CalibratedJudge:
    """Judges as `judge` does; the scores are then mapped, and their errors widened.

    Whatever `judge` remembers, it remembers on its own scale.
    """

    judge: Judge
    tier_map: TierMap

    @property
    def tier(self) -> str:
        """The tier that judges."""
        return self.judge.tier

    @property
    def name(self) -> str:
        """The model that judges."""
        return self.judge.name

    @property
    def revision(self) -> str:
        """Its version."""
        return self.judge.revision

    @property
    def extraction(self) -> str:
        """How a score is read off it."""
        return self.judge.extraction

    @property
    def calibration(self) -> str:
        """The map's name; which calibration the judge itself had stands in the map's record."""
        return self.tier_map.name

    @property
    def prompt(self) -> str | None:
        """Which words it is asked in."""
        return self.judge.prompt

    @property
    def interview(self) -> InterviewVerdict | None:
        """Whether it plays its personas."""
        return self.judge.interview

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        """The judge's opinions on the first judge's scale; what failed stays without a number."""
        found = self.judge.opinions(cases, panel, deadline)
        return replace(
            found,
            scores=self.tier_map.scores(found.scores),
            errors=self.tier_map.errors(found.scores, found.errors),
        )

    def check(self) -> None:
        """Judge a canary. Raises `JudgeUnavailable`."""
        self.judge.check()

    def close(self) -> None:
        """Close the judge."""
        self.judge.close()


def on_one_scale(judges: Sequence[Judge], maps: TierMaps, samples: int) -> Ladder:
    """A ladder whose lower rungs are told on the first one's scale, as far as there are maps.

    samples: answers that a chat judge's judgment is the mean of, where it has no probabilities.
    """
    first, *lower = judges
    rungs, own_scale = [first], {}
    for judge in lower:
        found = maps.between(identity_of(first, samples), identity_of(judge, samples))
        if isinstance(found, TierMap):
            rungs.append(CalibratedJudge(judge, found))
        else:
            rungs.append(judge)
            own_scale[judge.tier] = found
    return Ladder(rungs, own_scale)
