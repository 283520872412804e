"""Figures keep apart what a reader wants to tell apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from allocator.experiments.findings import Findings
from allocator.experiments.standings import standings_of
from allocator.report.drawing import by_updates, draw_curves, draw_standings
from allocator.report.figures import PAGE
from allocator.report.paper import PAPER


def axes_of(findings: Findings):
    axes = Figure().add_subplot()
    draw_standings(axes, standings_of(findings), PAPER)
    return axes


def with_chance_at(findings: Findings, reward: float) -> Findings:
    chance = findings.outcomes["random"]
    shifted = replace(chance, reward=chance.reward - chance.reward.mean() + reward)
    return replace(findings, outcomes={**findings.outcomes, "random": shifted})


def test_chance_far_below_all_others_is_told_and_does_not_press_them_together(findings):
    axes = axes_of(with_chance_at(findings, -5.0))
    worst = standings_of(findings).agents["ddpg"].quantities["reward"].low
    assert axes.get_xlim()[0] == pytest.approx(worst, abs=0.05)
    assert any("-5.00" in text.get_text() for text in axes.texts)


def test_chance_near_the_others_is_drawn_like_them(findings):
    axes = axes_of(with_chance_at(findings, 0.4))
    assert axes.get_xlim()[0] < 0.4
    assert not any("0.40" in text.get_text() for text in axes.texts)


def test_runs_that_went_wrong_are_counted_where_the_axis_is_cut(findings):
    rival = findings.outcomes["ddpg"]
    reward = np.stack([rival.reward[0], rival.reward[1], rival.reward[2] - 3.0])
    wrong = replace(rival, reward=reward)
    axes = axes_of(replace(findings, outcomes={**findings.outcomes, "ddpg": wrong}))
    assert axes.get_xlim()[0] > -1.0
    assert [text.get_text() for text in axes.texts if "runs" in text.get_text()] == [
        "\N{LEFTWARDS ARROW} 1 of 3 runs"
    ]


def curves_drawn(findings: Findings, references: dict[str, float]):
    axes = Figure().add_subplot()
    draw_curves(axes, findings.curves, references, along=by_updates, theme=PAPER)
    return axes


def test_a_fall_between_beginning_and_end_does_not_press_the_curves_together(findings):
    fell = replace(findings.curves["ddpg"], reward=np.tile([0.5, -4.0, 0.7], (3, 1)))
    ours = replace(findings.curves["gddpg"], reward=np.tile([0.5, 0.6, 0.8], (3, 1)))
    axes = curves_drawn(replace(findings, curves={"gddpg": ours, "ddpg": fell}), {})
    assert 0.4 < axes.get_ylim()[0] < 0.5


def test_references_below_all_curves_are_not_drawn(findings):
    ours = replace(findings.curves["gddpg"], reward=np.tile([0.5, 0.6, 0.7], (3, 1)))
    references = {"optimum": 0.8, "random": 0.03}
    axes = curves_drawn(replace(findings, curves={"gddpg": ours}), references)
    assert axes.get_ylim()[0] > 0.4
    assert [text.get_text() for text in axes.texts] == ["optimum"]


@pytest.mark.parametrize("theme", [PAGE, PAPER])
def test_no_two_of_the_compared_learners_look_alike(theme):
    everybody = range(7)  # as many as `allocator compare` trains
    assert len({theme.line(number)["color"] for number in everybody}) == 7
    assert len({tuple(map(str, theme.line(n).values())) for n in everybody}) == 7
