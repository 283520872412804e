import numpy as np
import pytest

from allocator.catalogue import compose_catalogue, word_embedding
from allocator.judge_budget.judge_calls import JudgeCalls, JudgeCallsSpentError
from allocator.judge_budget.panel import LivePanel, RecordedPanel
from allocator.scenarios.synthetic import synthetic_experience
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.personas import Registry
from qoe_service.scoring import Scorer


class Painter:
    """Draws noise that depends on the plan alone."""

    def run(self, plans):
        return np.stack([self.picture(plan) for plan in plans])

    def picture(self, plan):
        rng = np.random.default_rng(int(plan.key[:8], 16))
        return rng.integers(0, 256, (64, 64, 3), np.uint8)


def test_a_live_panel_tells_what_the_service_says_of_the_planned_pictures():
    catalogue = compose_catalogue(word_embedding)
    with Scorer(Ladder([PixelJudge()]), Registry()) as scorer:
        panel = LivePanel(catalogue, Painter(), scorer, JudgeCalls(10))
        cells = ([0, 5, 31], [0, 3, 2], [0, 4, 9], [0, 2, 1], [1, 0, 1])
        shape = (*catalogue.shape, len(panel.personas))
        told = panel.judge(np.ravel_multi_index(cells, shape))
        for answer, (*cell, persona) in zip(told, zip(*cells, strict=True), strict=True):
            picture = Painter().run([catalogue.plan(*cell)])
            asked = scorer.rewards(
                picture, [catalogue.prompts[cell[0]]], personas=[panel.personas[persona]]
            )
            assert answer == asked.by_persona[0][0]
        assert panel.traits.shape == (len(panel.personas), 5)
    assert panel.calls.spent == panel.oracle.counts.judgments == 3


def test_nobody_asked_is_no_call():
    catalogue = compose_catalogue(word_embedding)
    with Scorer(Ladder([PixelJudge()]), Registry()) as scorer:
        panel = LivePanel(catalogue, Painter(), scorer, JudgeCalls(0))
        assert panel.judge(np.empty(0, np.intp)).size == 0


def test_a_recorded_panel_answers_as_recorded_and_not_beyond_its_budget():
    recorded = synthetic_experience()
    panel = RecordedPanel(recorded, JudgeCalls(3))
    assert np.array_equal(panel.judge(np.array([0, 99])), recorded.table.ravel()[[0, 99]])
    with pytest.raises(JudgeCallsSpentError, match="2 judge calls were wanted and 1 of 3 are left"):
        panel.judge(np.array([2, 3]))
    assert panel.calls.left == 1


def test_a_budget_spent_beyond_its_limit_is_refused():
    with pytest.raises(ValueError, match="5 of 4 judge calls"):
        JudgeCalls(4, spent=5)
