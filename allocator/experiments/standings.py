"""Who stands where, and who beats whom by how much, with intervals: the numbers of all reports.

All of it is with the learners' decisions charged, as the findings tell how long they take; those
who do not learn decide for free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats
from allocator.experiments.decision_cost import with_decisions_charged
from allocator.experiments.fairness import by_persona, jain_index, tenth_percentile
from allocator.experiments.findings import (
    OPTIMUM,
    QUANTITIES,
    RANDOM,
    Findings,
    LearningCurve,
    Outcomes,
)
from allocator.experiments.intervals import (
    FEWEST_RUNS,
    Interval,
    Redraws,
    improvement,
    iqm,
    progress_between,
)

SEED = 0
"""Of the generator behind every interval, so that a report made again says the same."""


@dataclass(frozen=True)
class Summary:
    """One quantity of one agent: the mean and the IQM of its runs, and the IQM's interval."""

    mean: float
    iqm: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True)
class Standing:
    """One agent.

    quantities: those of `Outcomes`, and of fairness: `worst_persona`, the QoE of the persona that
    fares worst on the held-out episodes (its name is `worst_served`; it was picked on these same
    episodes, so its QoE is rather too low than too high); `jain`, the mean of an episode's Jain
    index over its users; `tenth_percentile`, the mean of what nine in ten users of an episode
    exceed.
    runs: what each run is worth, the worst first. The IQM does not see one in ten that goes wrong.
    share_of_optimum: its IQM of reward over the optimum's. share_of_way: 0 is random, 1 the
    optimum. decision_s: what deciding takes, None if it is not charged.
    """

    quantities: Mapping[str, Summary]
    runs: tuple[float, ...]
    worst_served: str
    share_of_optimum: Interval
    share_of_way: Interval
    decision_s: float | None


@dataclass(frozen=True)
class AtEqualSeconds:
    """Two learning curves, each read where its learner had collected and learned for `seconds`.

    These are what the one that is done first took in all, the median over its runs. The other's
    curve is read in its middle, where its learning rate had not fallen yet, so what it would reach
    in these seconds if they were all it had is understated; a contender with more steps, held
    against this one at the end of both, has no such handicap. Intervals are over runs only, and
    decisions are not charged.
    """

    seconds: float
    ours: float
    theirs: float
    difference: Interval


@dataclass(frozen=True)
class Duel:
    """One agent against a rival on the same episodes, by the IQM of reward.

    difference: ours less theirs. relative_gain: that as a share of theirs. improvement_probability:
    that a run of ours beats a run of theirs. gap_closed: the difference as a share of what lay
    between the rival and the optimum; draws in which nothing lay there are left out.
    None where there is no such thing: the rival has no curve, or what it earned or left is nothing,
    or too unsure to divide by (its interval reaches below half of it).
    """

    difference: Interval
    relative_gain: Interval | None
    improvement_probability: Interval
    gap_closed: Interval | None
    at_equal_seconds: AtEqualSeconds | None


@dataclass(frozen=True)
class Standings:
    """agents: by name. duels: of each learner with everyone else, `duels[ours][theirs]`."""

    agents: Mapping[str, Standing]
    duels: Mapping[str, Mapping[str, Duel]]

    @property
    def order(self) -> tuple[str, ...]:
        """The agents, the best reward first."""
        return tuple(
            sorted(self.agents, key=lambda agent: -self.agents[agent].quantities["reward"].iqm)
        )

    @property
    def caution(self) -> str:
        """What a reader must know of the intervals; empty where there are runs enough."""
        if max(len(standing.runs) for standing in self.agents.values()) >= FEWEST_RUNS:
            return ""
        return f"Fewer than {FEWEST_RUNS} runs: intervals are too narrow to be believed."


def standings_of(findings: Findings) -> Standings:
    """All the numbers; the same findings give the same."""
    charged = charged_outcomes(findings)
    redraws = Redraws.draw(
        {agent: len(outcomes.reward) for agent, outcomes in charged.items()},
        charged[OPTIMUM].reward.shape[1],
        np.random.default_rng(SEED),
    )
    worth = {agent: redraws.scores(agent, outcomes.reward) for agent, outcomes in charged.items()}
    typical = {agent: iqm(scores, axis=-1) for agent, scores in worth.items()}
    return Standings(
        agents={
            agent: _standing(findings, agent, outcomes, redraws, typical)
            for agent, outcomes in charged.items()
        },
        duels={
            ours: {
                theirs: Duel(
                    difference=Interval.of(typical[ours] - typical[theirs]),
                    relative_gain=_ratio(typical[ours] - typical[theirs], typical[theirs]),
                    improvement_probability=Interval.of(improvement(worth[ours], worth[theirs])),
                    gap_closed=_ratio(
                        typical[ours] - typical[theirs], typical[OPTIMUM] - typical[theirs]
                    ),
                    at_equal_seconds=_at_equal_seconds(findings, ours, theirs, redraws),
                )
                for theirs in charged
                if theirs != ours
            }
            for ours in findings.curves
        },
    )


def charged_outcomes(findings: Findings) -> dict[str, Outcomes]:
    """Everyone's outcomes with the decisions of those who learned charged."""
    return {
        agent: with_decisions_charged(outcomes, findings.decision_s.get(agent, 0.0))
        for agent, outcomes in findings.outcomes.items()
    }


def _standing(
    findings: Findings,
    agent: str,
    outcomes: Outcomes,
    redraws: Redraws,
    typical: Mapping[str, Floats],
) -> Standing:
    qoe, users = by_persona(outcomes.user_qoe, outcomes.user_persona, len(findings.personas))
    worst = _worst_served(qoe, users)
    tables = {name: getattr(outcomes, name) for name in QUANTITIES} | {
        "jain": jain_index(outcomes.user_qoe),
        "tenth_percentile": tenth_percentile(outcomes.user_qoe),
    }
    told = {name: _summary(redraws.scores(agent, table)) for name, table in tables.items()}
    told["worst_persona"] = _summary(redraws.scores(agent, qoe[worst], users[worst]))
    way = progress_between(typical[agent], typical[RANDOM], typical[OPTIMUM])
    return Standing(
        quantities=told,
        runs=tuple(np.sort(outcomes.reward.mean(axis=1)).tolist()),
        worst_served=findings.personas[worst],
        share_of_optimum=Interval.of(typical[agent] / typical[OPTIMUM]),
        share_of_way=Interval.of(way),
        decision_s=findings.decision_s.get(agent),
    )


def _worst_served(qoe: Floats, users: Floats) -> int:
    """The persona of the least mean QoE, of those that every run met and got an opinion from."""
    met = (users.sum(axis=2) > 0).all(axis=1)
    mean = (qoe * users).sum(axis=(1, 2)) / np.maximum(users.sum(axis=(1, 2)), 1)
    return int(np.where(met, mean, np.inf).argmin())


def _summary(scores: Floats) -> Summary:
    interval = Interval.of(iqm(scores, axis=-1))
    return Summary(
        mean=float(scores[0].mean()),
        iqm=interval.point,
        low=interval.low,
        high=interval.high,
        seeds=scores.shape[1],
    )


def _ratio(part: Floats, whole: Floats) -> Interval | None:
    if Interval.of(whole).low <= whole[0] / 2:
        return None
    share = np.full_like(whole, np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return Interval.of(share)


def _at_equal_seconds(
    findings: Findings, ours: str, theirs: str, redraws: Redraws
) -> AtEqualSeconds | None:
    if theirs not in findings.curves:
        return None
    curves = {agent: findings.curves[agent] for agent in (ours, theirs)}
    seconds = min(learning_seconds(curve) for curve in curves.values())
    first, second = (
        iqm(reward_after(curve, seconds)[redraws.runs[agent]], axis=-1)
        for agent, curve in curves.items()
    )
    return AtEqualSeconds(
        seconds=seconds,
        ours=float(first[0]),
        theirs=float(second[0]),
        difference=Interval.of(first - second),
    )


def learning_seconds(curve: LearningCurve) -> float:
    """What a run of this learner takes to collect and learn: the median over its runs."""
    return float(np.median(curve.learning_s[:, -1]))


def reward_after(curve: LearningCurve, seconds: float) -> Floats:
    """(runs,) reward after so many seconds of learning, between points in a straight line; a run
    that was done earlier counts with its end."""
    return np.array(
        [
            np.interp(seconds, learning_s, reward)
            for learning_s, reward in zip(curve.learning_s, curve.reward, strict=True)
        ]
    )
