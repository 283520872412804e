"""Under a hard budget: what is asked, what is answered, and when surrogate and judges part."""

import logging

import numpy as np
import pytest

from allocator.catalogue import TOPICS, compose_catalogue, word_embedding
from allocator.experience import RecordedExperience, UnjudgedError
from allocator.judge_budget.asking import ROUNDS
from allocator.judge_budget.experience import BudgetedExperience
from allocator.judge_budget.judge_calls import JudgeCalls
from allocator.judge_budget.panel import RecordedPanel
from allocator.judge_budget.report import BudgetReport
from allocator.judge_budget.sight import Sight, context_of
from allocator.scenarios.settings import SharedDenoisingSettings
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience

CALLS, SHOWN = 300, 9000


@pytest.fixture(scope="module")
def catalogue():
    return compose_catalogue(
        word_embedding,
        topics=TOPICS[:1],
        seeds=(7, 41),
        total_steps=6,
        error_levels=(0.0, 0.1, 0.5),
    )


@pytest.fixture(scope="module")
def recorded(catalogue):
    return synthetic_experience(0, catalogue)


@pytest.fixture(scope="module")
def sight(catalogue):
    """Pictures that say nothing beyond their prompt and how they were drawn."""
    prompts = np.eye(len(catalogue.prompts), 8)
    pictures = np.broadcast_to(prompts[:, None, None, None], (*catalogue.shape, 8))
    return Sight(pictures, prompts, context_of(catalogue), "test")


class CountingPanel(RecordedPanel):
    """Remembers every question, and fails where it is told to."""

    def __init__(self, recorded, calls, failing=()):
        super().__init__(recorded, JudgeCalls(calls))
        self.heard = []
        self.failing = np.array(failing, dtype=np.intp)

    def judge(self, places):
        opinions = super().judge(places).copy()
        opinions[np.isin(places, self.failing)] = np.nan
        self.heard += places.tolist()
        return opinions


def begun(panel, sight, seed=0):
    experience = BudgetedExperience(panel, sight, shown=SHOWN, seed=seed)
    experience.survey()
    return experience


def visit(experience, places, times=20):
    for part in np.array_split(np.resize(places, SHOWN), times):
        experience.rewards(part)


def anywhere(experience, seed=1):
    return np.random.default_rng(seed).permutation(possible(experience.shape))


def possible(shape):
    places = np.arange(np.prod(shape)).reshape(shape)
    return np.concatenate([places[:, :, 1:].ravel(), places[:, :, 0, 0].ravel()])


def test_a_whole_run_asks_as_much_as_it_may_and_no_question_twice(recorded, sight):
    panel = CountingPanel(recorded, CALLS)
    experience = begun(panel, sight)
    assert CALLS / 3 < panel.calls.spent < 2 * CALLS / 3
    visit(experience, anywhere(experience))
    report = experience.finish()
    assert report.calls == panel.calls.spent == len(panel.heard) == CALLS
    assert len(set(panel.heard)) == CALLS
    assert set(panel.heard) <= set(possible(experience.shape).tolist())
    assert report.shown == SHOWN
    assert len(report.looks) == ROUNDS + 1
    assert report.taught == CALLS - 15 - 30  # a twentieth and a tenth are held out


def test_judged_places_are_answered_as_judged_and_others_nearly_so(recorded, sight):
    panel = CountingPanel(recorded, CALLS)
    experience = begun(panel, sight)
    truth = recorded.table.ravel()
    asked = np.array(panel.heard)
    assert np.array_equal(experience.rewards(asked), truth[asked])
    others = np.setdiff1d(possible(experience.shape), asked)
    guessed = experience.rewards(others)
    assert np.sqrt(((guessed - truth[others]) ** 2).mean()) < 0.35 * truth[others].std()


def test_looking_estimates_up_asks_and_counts_nothing(recorded, sight):
    panel = CountingPanel(recorded, CALLS)
    experience = begun(panel, sight)
    spent = panel.calls.spent
    everywhere = possible(experience.shape)
    for _ in range(20):
        estimated = experience.estimates().rewards(everywhere)
    assert panel.calls.spent == spent
    assert np.array_equal(estimated, experience.rewards(everywhere))


def test_what_agents_see_of_the_catalogue_stays_what_the_survey_found(recorded, sight):
    experience = begun(CountingPanel(recorded, CALLS), sight)
    first = experience.estimates().table
    visit(experience, anywhere(experience))
    assert np.array_equal(experience.seen_before_training.table, first)
    assert not np.array_equal(experience.estimates().table, first)


def test_questions_follow_what_users_are_shown(recorded, sight):
    panel = CountingPanel(recorded, CALLS)
    experience = begun(panel, sight)
    surveyed = len(panel.heard)
    liked = anywhere(experience)[:250]
    visit(experience, liked)
    later = panel.heard[surveyed:]
    assert np.isin(later, liked).mean() > 2 * 250 / len(possible(experience.shape))


def test_a_failed_judgment_stays_null_counts_as_a_call_and_is_never_taught(recorded, sight):
    failing = possible(recorded.shape)[::3]
    panel = CountingPanel(recorded, CALLS, failing)
    experience = begun(panel, sight)
    visit(experience, anywhere(experience))
    report = experience.finish()
    failed = np.intersect1d(panel.heard, failing)
    assert np.isnan(experience.rewards(failed)).all()
    assert report.failed == len(failed) > CALLS / 6
    assert report.calls == CALLS
    answered = np.setdiff1d(possible(experience.shape), failed)
    assert np.isfinite(experience.rewards(answered)).all()


class RepeatingPanel(CountingPanel):
    """Has to ask everything twice."""

    def judge(self, places):
        opinions = super().judge(places)
        self.calls.spend(min(len(places), self.calls.left))
        return opinions


def test_attempts_that_had_to_be_repeated_leave_fewer_questions(recorded, sight):
    panel = RepeatingPanel(recorded, CALLS)
    experience = begun(panel, sight)
    visit(experience, anywhere(experience))
    assert experience.finish().calls == CALLS
    assert len(panel.heard) == pytest.approx(CALLS / 2, abs=30)


def test_a_panel_that_never_answers_ends_the_run(recorded, sight):
    panel = CountingPanel(recorded, 40, possible(recorded.shape))
    with pytest.raises(UnjudgedError, match="answered none of 19 questions"):
        BudgetedExperience(panel, sight, shown=SHOWN, seed=0).survey()
    assert panel.calls.spent <= 40


def moody(recorded):
    """The same judges with moods that nothing seen can foretell."""
    mood = np.random.default_rng(3).normal(0, 0.15, recorded.table.shape)
    table = np.clip(recorded.table + mood, 0, 1)
    table[:, :, 0] = table[:, :, 0, :1]
    return RecordedExperience(recorded.catalogue, recorded.personas, recorded.traits, table)


def test_the_alarm_fires_when_a_policy_goes_where_the_surrogate_promises_too_much(
    recorded, sight, caplog
):
    panel = CountingPanel(moody(recorded), CALLS)
    experience = begun(panel, sight)
    promised = experience.estimates().table - panel._recorded.table
    places = possible(experience.shape)
    hacked = places[np.argsort(-promised.ravel()[places])][:150]
    with caplog.at_level(logging.WARNING):
        visit(experience, hacked)
        report = experience.finish()
    assert report.alarm
    assert report.looks[-1].at_policy.promised > report.looks[-1].at_random.promised + 0.1
    assert "promises" in caplog.text


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_alarm_is_silent_when_a_policy_goes_anywhere_else(recorded, sight, seed, caplog):
    experience = begun(CountingPanel(moody(recorded), CALLS), sight, seed)
    visit(experience, anywhere(experience, seed)[:150])
    assert not experience.finish().alarm
    assert not caplog.records


def test_a_resumed_run_goes_on_as_if_it_had_not_been_interrupted(recorded, sight):
    whole_panel, panel = CountingPanel(recorded, CALLS), CountingPanel(recorded, CALLS)
    whole, first = begun(whole_panel, sight), begun(panel, sight)
    places = anywhere(whole)
    parts = np.array_split(np.resize(places, SHOWN), 20)
    for part in parts:
        whole.rewards(part)
    for part in parts[:8]:
        first.rewards(part)
    again_panel = CountingPanel(recorded, CALLS)
    again = BudgetedExperience(again_panel, sight, shown=SHOWN, seed=0)
    again.put_back(first.state())
    assert again_panel.heard == []
    assert again_panel.calls.spent == panel.calls.spent
    for part in parts[8:]:
        again.rewards(part)
    assert again.finish() == whole.finish()
    assert np.array_equal(again.estimates().table, whole.estimates().table)
    assert np.array_equal(again.seen_before_training.table, whole.seen_before_training.table)
    assert panel.heard + again_panel.heard == whole_panel.heard


def test_a_scenario_learns_from_estimates_and_never_goes_beyond_the_budget(
    catalogue, recorded, sight
):
    panel = CountingPanel(recorded, CALLS)
    experience = begun(panel, sight)
    scenario = SharedDenoising(
        experience,
        SharedDenoisingSettings(groups=1, users_per_group=3, slots=3, total_steps=6),
        seen=experience.seen_before_training,
    )
    rng = np.random.default_rng(0)
    for seed in range(3):
        scenario.reset(range(64 * seed, 64 * (seed + 1)))
        for _ in range(3):
            _, outcome, _ = scenario.step(rng.uniform(-1, 1, (64, scenario.actions.size)))
            assert np.isfinite(outcome.reward).all()
    assert panel.calls.spent <= CALLS
    assert (
        experience.finish().shown == 3 * 64 * 3 * 3
    )  # the profile of the state counts for nothing


def test_a_report_survives_being_written_down(recorded, sight):
    experience = begun(CountingPanel(recorded, CALLS), sight)
    report = experience.finish()
    assert BudgetReport.from_plain(report.plain()) == report


def test_a_sight_of_another_catalogue_is_refused(recorded, sight):
    other = Sight(sight.pictures[:2], sight.prompts[:2], sight.context, "test")
    with pytest.raises(ValueError, match=r"look at this one \(allocator.judge_budget.sight.see\)"):
        BudgetedExperience(RecordedPanel(recorded, JudgeCalls(9)), other, shown=9, seed=0)
