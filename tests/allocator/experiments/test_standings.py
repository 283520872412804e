"""Standings say what the outcomes hold, and hold rivals against each other fairly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.experiments.findings import Findings, LearningCurve
from allocator.experiments.intervals import Interval, iqm
from allocator.experiments.standings import learning_seconds, reward_after, standings_of


def changed(findings: Findings, agent: str, **values) -> Findings:
    outcomes = dict(findings.outcomes)
    outcomes[agent] = replace(outcomes[agent], **values)
    return replace(findings, outcomes=outcomes)


def test_the_same_findings_give_the_same_standings(findings: Findings) -> None:
    assert standings_of(findings) == standings_of(findings)


def test_every_interval_holds_its_point(findings: Findings) -> None:
    standings = standings_of(findings)
    for standing in standings.agents.values():
        for told in standing.quantities.values():
            assert told.low - 1e-12 <= told.iqm <= told.high + 1e-12
        for interval in (standing.share_of_optimum, standing.share_of_way):
            assert interval.low <= interval.point <= interval.high
    for duel in standings.duels["gddpg"].values():
        for interval in (duel.difference, duel.relative_gain, duel.improvement_probability):
            assert interval.low <= interval.point <= interval.high


def test_shares_run_from_random_to_the_optimum(findings: Findings) -> None:
    agents = standings_of(findings).agents
    assert agents["random"].share_of_way == Interval(0, 0, 0)
    assert agents["optimum"].share_of_way == agents["optimum"].share_of_optimum == Interval(1, 1, 1)
    reward = {agent: agents[agent].quantities["reward"].iqm for agent in agents}
    assert agents["gddpg"].share_of_optimum.point == pytest.approx(
        reward["gddpg"] / reward["optimum"]
    )
    assert agents["gddpg"].share_of_way.point == pytest.approx(
        (reward["gddpg"] - reward["random"]) / (reward["optimum"] - reward["random"])
    )


def test_agents_are_told_by_the_iqm_of_their_runs_means(findings: Findings) -> None:
    told = standings_of(findings).agents["ddpg"].quantities["reward"]
    runs = findings.outcomes["ddpg"].reward.mean(axis=1)
    assert told.iqm == pytest.approx(float(iqm(runs)))
    assert told.mean == pytest.approx(runs.mean())
    assert told.seeds == 3


def test_every_run_is_told_the_worst_first(findings: Findings) -> None:
    standing = standings_of(findings).agents["ddpg"]
    worth = findings.outcomes["ddpg"].reward.mean(axis=1)
    charged = standing.quantities["reward"].mean - worth.mean()
    assert standing.runs == pytest.approx(sorted(worth + charged))


def test_too_few_runs_are_warned_of(findings: Findings) -> None:
    assert "Fewer than 5 runs" in standings_of(findings).caution
    chance = findings.outcomes["random"]
    five = {
        name: np.concatenate([getattr(chance, name)[:1]] * 5)
        for name in ("reward", "qoe", "energy_j", "latency_s", "budget_used", "user_qoe")
    }
    assert standings_of(changed(findings, "random", **five)).caution == ""


def test_a_duel_is_told_in_every_unit(findings: Findings) -> None:
    standings = standings_of(findings)
    reward = {name: each.quantities["reward"].iqm for name, each in standings.agents.items()}
    duel = standings.duels["gddpg"]["ddpg"]
    assert duel.difference.point == pytest.approx(0.1)
    assert duel.relative_gain.point == pytest.approx(0.1 / reward["ddpg"])
    assert duel.gap_closed.point == pytest.approx(0.1 / (reward["optimum"] - reward["ddpg"]))
    assert duel.improvement_probability == Interval(1, 1, 1)
    back = standings.duels["ddpg"]["gddpg"]
    assert back.difference.point == pytest.approx(-duel.difference.point)
    assert back.difference.low == pytest.approx(-duel.difference.high)
    assert back.improvement_probability.point == 0


def test_where_there_is_no_gap_none_is_closed(findings: Findings) -> None:
    assert standings_of(findings).duels["gddpg"]["optimum"].gap_closed is None
    nothing_earned = changed(findings, "ddpg", reward=np.zeros((3, 6)))
    assert standings_of(nothing_earned).duels["gddpg"]["ddpg"].relative_gain is None


def test_no_gain_is_told_over_a_reward_that_may_as_well_be_nothing(findings: Findings) -> None:
    about_nothing = np.array([[0.0], [0.01], [0.02]]) * np.ones(6)
    duel = standings_of(changed(findings, "ddpg", reward=about_nothing)).duels["gddpg"]["ddpg"]
    assert duel.relative_gain is None
    assert duel.difference.low > 0
    assert duel.gap_closed is not None


def test_decisions_are_charged_to_who_learns_and_to_nobody_else(findings: Findings) -> None:
    spent_all = findings
    for agent in findings.outcomes:
        energy_j = np.full_like(findings.outcomes[agent].energy_j, 7000.0)
        spent_all = changed(spent_all, agent, energy_j=energy_j)
    standings = standings_of(spent_all)
    # beyond the budget a joule costs 1e-3; 10 slots of 2 ms at 225 W are 4.5 J
    before = iqm(findings.outcomes["gddpg"].reward.mean(axis=1))
    charged = standings.agents["gddpg"].quantities
    assert charged["reward"].iqm == pytest.approx(float(before) - 4.5e-3 / 10)
    assert charged["energy_j"].iqm == pytest.approx(7004.5)
    assert standings.agents["gddpg"].decision_s == 2e-3
    assert standings.agents["greedy"].decision_s is None
    assert standings.agents["greedy"].quantities["energy_j"].iqm == pytest.approx(7000)


def test_the_worst_served_persona_is_found_among_those_judged(findings: Findings) -> None:
    qoe = findings.outcomes["ddpg"].user_qoe.copy()
    persona = np.broadcast_to(findings.outcomes["ddpg"].user_persona, qoe.shape)
    qoe[persona == 1] = 0.1
    qoe[persona == 3] = np.nan  # nobody asked Di
    standing = standings_of(changed(findings, "ddpg", user_qoe=qoe)).agents["ddpg"]
    assert standing.worst_served == "Bo & <co>"
    assert standing.quantities["worst_persona"].iqm == pytest.approx(0.1)


def test_curves_are_read_where_the_faster_learner_was_done(findings: Findings) -> None:
    slow = LearningCurve(
        steps=np.array([0, 20]),
        updates=np.array([0, 80]),
        learning_s=np.array([[0.0, 100], [0, 120], [0, 140]]),
        reward=np.array([[0.0, 1.0]] * 3),
    )
    fast = replace(slow, learning_s=slow.learning_s / 2, reward=np.array([[0.0, 0.6]] * 3))
    told = standings_of(replace(findings, curves={"gddpg": slow, "ddpg": fast}))
    met = told.duels["gddpg"]["ddpg"].at_equal_seconds
    assert met.seconds == learning_seconds(fast) == 60
    assert met.theirs == pytest.approx(iqm(0.6 * np.array([1, 1, 60 / 70])))
    assert met.ours == pytest.approx(iqm(60 / np.array([100, 120, 140])))
    assert met.difference.point == pytest.approx(met.ours - met.theirs)
    assert told.duels["gddpg"]["greedy"].at_equal_seconds is None


def test_a_run_that_was_done_earlier_counts_with_its_end() -> None:
    curve = LearningCurve(
        steps=np.array([0, 10]),
        updates=np.array([0, 10]),
        learning_s=np.array([[0.0, 10.0], [0.0, 40.0]]),
        reward=np.array([[0.0, 0.8], [0.0, 0.8]]),
    )
    assert reward_after(curve, 20).tolist() == [0.8, 0.4]
