from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service.provider import CallFailed, FailureKind, Question, Usage
from qoe_service.provider.budget import Budget, OverBudget, Tariff, rough_usage
from qoe_service.provider.ledger import Ledger
from qoe_service.provider.spending import Spending

TARIFF = Tariff("judge-9", input_per_million=2.0, output_per_million=10.0)


ESTIMATE, ACTUAL = Usage(100, 10), Usage(80, 5)


def spend(budget, run="r1", *, estimate=ESTIMATE, usage=ACTUAL, failure=None):
    with budget.reservation(run, estimate, TARIFF) as reservation:
        if usage is not None:
            reservation.settle(usage)
        if failure is not None:
            raise failure


def test_counts_tokens_and_money_per_run():
    budget = Budget()
    spend(budget)
    spend(budget, usage=Usage(1_000_000, 100_000))
    spend(budget, "r2")
    assert budget.spent("r1") == Spending(2, 1_000_080, 100_005, pytest.approx(3.00021), 0)
    assert budget.spent("r2").calls == 1
    assert budget.spent("r3") == Spending()


def test_stops_before_the_call_that_may_not_fit():
    budget = Budget(limit_tokens=200)
    spend(budget)
    with pytest.raises(OverBudget, match=r"'r1' has spent 85 tokens .*\(200 tokens\)") as told:
        spend(budget, estimate=Usage(106, 10))
    assert told.value.run == "r1"
    spend(budget, estimate=Usage(105, 10))
    spend(budget, "r2")


def test_stops_at_the_money_too():
    budget = Budget(limit_cost=0.001)
    spend(budget, estimate=Usage(500, 0), usage=Usage(500, 0))  # exactly 0.001
    with pytest.raises(OverBudget, match=r"0.0010 in money"):
        budget.check("r1", TARIFF)
    budget.check("r2", TARIFF)


def test_what_is_in_flight_counts_until_it_is_settled():
    budget = Budget(limit_tokens=200)
    with budget.reservation("r1", Usage(90, 10), TARIFF) as first:
        with budget.reservation("r1", Usage(90, 10), TARIFF):
            with pytest.raises(OverBudget):
                spend(budget, estimate=Usage(1, 0))
            assert budget.reserved("r1").tokens == 200
        assert budget.reserved("r1").tokens == 100
        first.settle(Usage(1, 1))
    assert budget.reserved("r1") == Spending()


@pytest.mark.parametrize(
    ("failure", "charged"),
    [
        (CallFailed(FailureKind.BUSY, "429"), 0),
        (CallFailed(FailureKind.BROKEN, "500"), 0),
        (CallFailed(FailureKind.SLOW, "hung"), 110),  # may have been billed: the estimate
        (CallFailed(FailureKind.UNREADABLE, "no end"), 110),
        (CallFailed(FailureKind.UNREADABLE, "prose", usage=Usage(70, 64)), 134),
        (CallFailed(FailureKind.REFUSED, "no", usage=Usage(70, 4)), 74),
        (asyncio.CancelledError(), 110),
        (ZeroDivisionError(), 0),
    ],
)
def test_failed_calls_cost_what_they_probably_did(failure, charged):
    budget = Budget()
    with pytest.raises(type(failure)):
        spend(budget, usage=None, failure=failure)
    assert budget.spent("r1").tokens == charged
    assert budget.reserved("r1") == Spending()


def test_an_answer_that_is_rejected_afterwards_costs_what_it_said():
    budget = Budget()
    with pytest.raises(CallFailed):
        spend(budget, failure=CallFailed(FailureKind.UNREADABLE, "not a score"))
    assert budget.spent("r1") == Spending(1, 80, 5, TARIFF.cost(ACTUAL), 0)


def test_a_model_that_does_not_say_what_it_used_costs_the_estimate():
    budget = Budget()
    spend(budget, usage=Usage())
    assert budget.spent("r1") == Spending(1, 100, 10, TARIFF.cost(ESTIMATE), 1)


def test_what_was_spent_before_a_restart_counts(tmp_path):
    budget = Budget(limit_tokens=200, ledger=Ledger(tmp_path))
    spend(budget)
    again = Budget(limit_tokens=200, ledger=Ledger(tmp_path))
    assert again.spent("r1") == budget.spent("r1") == Spending(1, 80, 5, TARIFF.cost(ACTUAL))
    with pytest.raises(OverBudget):
        spend(again, estimate=Usage(116, 0))


def test_what_another_process_spends_meanwhile_counts(tmp_path):
    mine, theirs = (Budget(limit_tokens=200, ledger=Ledger(tmp_path)) for _ in range(2))
    spend(theirs)
    spend(mine)
    with pytest.raises(OverBudget, match="has spent 170 tokens"):
        spend(theirs)
    assert mine.spent("r1").refused == 1


def test_every_question_that_is_refused_is_counted():
    budget = Budget(limit_tokens=85)
    spend(budget, estimate=Usage(85))
    for _ in range(2):
        with pytest.raises(OverBudget):
            budget.check("r1", TARIFF)
    with pytest.raises(OverBudget):
        spend(budget)
    assert budget.spent("r1") == Spending(1, 80, 5, TARIFF.cost(ACTUAL), 0, refused=3)


def test_the_rough_estimate_grows_with_all_that_is_sent():
    plain = rough_usage(Question("be kind", "how good?"), output_tokens=7)
    shown = rough_usage(Question("be kind", "how good?", (b"png",)), output_tokens=7)
    long = rough_usage(Question("be kind" * 100, "how good?", schema="{}"), output_tokens=7)
    assert plain.output_tokens == 7
    assert shown.input_tokens - plain.input_tokens == 1_000
    assert long.input_tokens > 7 * 100 / 4


CALLS = st.lists(
    st.tuples(
        st.floats(0, 3),  # begins
        st.floats(0, 3),  # takes
        st.integers(1, 50),  # estimate
        st.floats(0, 1),  # what it costs, as a share of the estimate
        st.sampled_from(["fine", "slow", "broken", "cancelled"]),
    ),
    max_size=40,
)


@settings(max_examples=100)
@given(calls=CALLS, limit=st.integers(0, 300))
def test_never_overshoots_when_estimates_are_upper_bounds(virtually, calls, limit):
    async def main(loop):
        budget = Budget(limit_tokens=limit)
        refused = []

        async def one(begins, takes, estimate, share, outcome):
            await asyncio.sleep(begins)
            try:
                with budget.reservation("r", Usage(estimate), TARIFF) as reservation:
                    assert budget.spent("r").tokens + budget.reserved("r").tokens <= limit
                    await asyncio.sleep(takes)
                    if outcome == "cancelled":
                        raise asyncio.CancelledError
                    if outcome != "fine":
                        raise CallFailed(FailureKind(outcome), outcome)
                    reservation.settle(Usage(round(estimate * share)))
            except OverBudget:
                refused.append(budget.spent("r").tokens + budget.reserved("r").tokens + estimate)

        await asyncio.gather(*(one(*call) for call in calls), return_exceptions=True)
        assert budget.spent("r").tokens <= limit
        assert budget.reserved("r") == Spending()
        assert all(total > limit for total in refused)

    virtually(main)
