from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.plan import DenoisingPlan, Handoff, PlanError, Segment, shared_then_personal

STREET = Segment("edge", "base", "a person in the street", steps=5)
BEACH = Segment("phone", "base", "a dog at the beach", steps=5)
PLAN = DenoisingPlan(7, (STREET, BEACH), (Handoff(8, 0.01),))


def shared(shared_steps: int, **changes) -> DenoisingPlan:
    told = {"seed": 1, "public_prompt": "a", "own_prompt": "b", "total_steps": 10}
    return shared_then_personal(shared_steps=shared_steps, handoff=Handoff(), **told | changes)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: replace(STREET, steps=0), "1 step or more, got 0"),
        (lambda: replace(STREET, steps=2.5), "1 step or more, got 2.5"),
        (lambda: replace(STREET, prompt=" "), "prompt must not be empty"),
        (lambda: replace(STREET, site=""), "site must have a name"),
        (lambda: replace(STREET, guidance=float("nan")), "finite number, 0 or more, got nan"),
        (lambda: replace(STREET, depth=0), "1 block or more, got 0"),
        (lambda: Handoff(17, 0.0), "between 1 and 16, got 17"),
        (lambda: Handoff(8, 0.6), r"lie in \[0, 0.5\], got 0.6"),
        (lambda: Handoff(8, float("nan")), r"lie in \[0, 0.5\], got nan"),
        (lambda: replace(PLAN, seed=-1), "seed must be an integer .* got -1"),
        (lambda: DenoisingPlan(0, ()), "at least one segment"),
        (lambda: replace(PLAN, handoffs=()), r"here 1 \(edge -> phone\), got \(\)"),
        (lambda: shared(11), "between 0 and the total of 10, got 11"),
    ],
)
def test_an_impossible_plan_is_refused_with_the_value_and_the_rule(build, message):
    with pytest.raises(PlanError, match=message):
        build()


def test_handoffs_bring_the_latent_to_each_new_site():
    staying = replace(STREET, prompt="a cat")
    plan = DenoisingPlan(7, (STREET, staying, BEACH), (Handoff(4),))
    assert [handoff for handoff, _ in plan.stages()] == [None, None, Handoff(4)]
    assert plan.total_steps == 15


@given(st.integers(0, 10))
def test_shared_then_personal_hands_over_only_between_two_stretches(shared_steps):
    plan = shared(shared_steps)
    assert plan.total_steps == 10
    assert len(plan.handoffs) == int(0 < shared_steps < 10)
    assert sum(s.steps for s in plan.segments if s.site == "edge") == shared_steps


def test_guidance_may_differ_between_the_stretches():
    plan = shared(4, shared_guidance=2.0, personal_guidance=8.0)
    assert [segment.guidance for segment in plan.segments] == [2.0, 8.0]


def test_the_key_ignores_where_steps_run_and_how_a_stretch_is_cut():
    whole = DenoisingPlan(7, (STREET,))
    cut = DenoisingPlan(7, (replace(STREET, steps=2), replace(STREET, steps=3)))
    elsewhere = DenoisingPlan(7, (replace(STREET, site="phone"),))
    assert whole.key == cut.key == elsewhere.key


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, seed=8),
        replace(PLAN, segments=(replace(STREET, steps=6), replace(BEACH, steps=4))),
        replace(PLAN, segments=(replace(STREET, prompt="a street"), BEACH)),
        replace(PLAN, segments=(replace(STREET, model="other"), BEACH)),
        replace(PLAN, segments=(replace(STREET, guidance=2.0), BEACH)),
        replace(PLAN, segments=(replace(STREET, depth=3), BEACH)),
        replace(PLAN, handoffs=(Handoff(7, 0.01),)),
        replace(PLAN, handoffs=(Handoff(8, 0.02),)),
    ],
)
def test_whatever_changes_the_picture_changes_the_key(other):
    assert other.key != PLAN.key


def test_equal_plans_have_equal_keys_whatever_number_type_they_were_built_from():
    rebuilt = DenoisingPlan(
        np.int64(7), (replace(STREET, steps=np.int32(5), guidance=4), BEACH), (Handoff(8, 0.01),)
    )
    assert rebuilt == PLAN
    assert rebuilt.key == PLAN.key
    assert hash(rebuilt) == hash(PLAN)
