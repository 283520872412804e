from dataclasses import asdict

import numpy as np
import pytest

from allocator.judge_budget.audit import ALARM_LEVEL, FEWEST, HeldOut, Look, SurrogateError, look

LOOKS = 9


def held_out(rng, count, *, promised=0.0, sd=0.05):
    judged = rng.uniform(0.2, 0.9, count)
    return HeldOut(judged + rng.normal(promised, sd, count), np.full(count, 0.05), judged)


def test_a_surrogate_that_promises_too_much_where_the_policy_goes_raises_the_alarm():
    rng = np.random.default_rng(0)
    fired = [
        look(held_out(rng, 40), held_out(rng, 80, promised=0.05), shown=1, looks=LOOKS).alarm
        for _ in range(30)
    ]
    assert np.mean(fired) > 0.8


def test_one_that_is_merely_further_off_there_raises_it_too():
    rng = np.random.default_rng(1)
    fired = [
        look(held_out(rng, 40), held_out(rng, 80, sd=0.15), shown=1, looks=LOOKS).alarm
        for _ in range(30)
    ]
    assert np.mean(fired) > 0.8


def test_one_that_errs_alike_everywhere_hardly_ever_does_in_a_whole_run():
    rng = np.random.default_rng(2)
    runs, looks, fired = 100, 3, 0
    for _ in range(runs):
        at_random, at_policy = held_out(rng, 36, promised=0.02), held_out(rng, 72, promised=0.02)
        parts = (
            HeldOut(*(getattr(at_policy, name)[: 24 * (k + 1)] for name in vars(at_policy)))
            for k in range(looks)
        )
        fired += any(look(at_random, part, shown=1, looks=looks).alarm for part in parts)
    # At most ALARM_LEVEL; 3 standard errors of a binomial count above it are allowed.
    assert fired <= runs * ALARM_LEVEL + 3 * np.sqrt(runs * ALARM_LEVEL)


def test_a_surrogate_that_keeps_less_than_it_promises_by_being_too_low_is_no_hacking():
    rng = np.random.default_rng(3)
    low = look(held_out(rng, 60), held_out(rng, 60, promised=-0.05), shown=1, looks=LOOKS)
    assert low.p_promises_more > 0.5


def test_errors_are_told_as_they_are():
    judged = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    error = SurrogateError.of(HeldOut(judged + 0.1, np.full(5, 0.02), judged))
    assert error.judgments == 5
    assert error.rmse == pytest.approx(0.1)
    assert error.promised == pytest.approx(0.1)
    assert error.explained == pytest.approx(1 - 0.01 / 0.08)
    assert error.rank_correlation == pytest.approx(1.0)
    assert error.within == 0.0


def test_too_few_judgments_say_nothing_and_raise_no_alarm():
    rng = np.random.default_rng(4)
    few, many = held_out(rng, FEWEST - 1, promised=0.5), held_out(rng, 50)
    seen = look(many, few, shown=1, looks=LOOKS)
    assert seen.p_promises_more is None
    assert seen.at_policy.rmse is None
    assert not seen.alarm


def test_a_look_survives_being_written_down():
    rng = np.random.default_rng(5)
    seen = look(held_out(rng, 20), held_out(rng, 20), shown=7, looks=LOOKS)
    assert Look.from_plain(asdict(seen)) == seen
