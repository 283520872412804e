from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.diffusion.prefix_tree import prefix_tree
from allocator.plan import DenoisingPlan, Handoff, Segment, shared_then_personal


def plan(shared_steps, own_prompt="own", *, seed=1, total_steps=10, error_rate=0.0):
    return shared_then_personal(
        seed=seed,
        public_prompt="public",
        own_prompt=own_prompt,
        shared_steps=shared_steps,
        total_steps=total_steps,
        handoff=Handoff(8, error_rate),
    )


@given(
    users=st.integers(1, 12),
    total_steps=st.integers(1, 20),
    shared_steps=st.data(),
    error_rate=st.sampled_from([0.0, 0.02]),
)
def test_a_group_saves_exactly_the_share_of_the_formula(
    users, total_steps, shared_steps, error_rate
):
    """(K-1) t / (K T): K users share t of T steps."""
    t = shared_steps.draw(st.integers(0, total_steps - 1))
    tree = prefix_tree(
        [plan(t, f"{k}", total_steps=total_steps, error_rate=error_rate) for k in range(users)]
    )
    saved = Fraction(tree.unshared_steps - tree.steps, tree.unshared_steps)
    assert tree.unshared_steps == users * total_steps
    assert saved == Fraction((users - 1) * t, users * total_steps)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_every_user_leaves_the_common_chain_at_a_step_of_their_own_for_free(branches):
    tree = prefix_tree([plan(t, f"user {k}") for k, t in enumerate(branches)])
    assert tree.steps == max(branches) + sum(10 - t for t in branches)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 10), st.sampled_from("ab"), st.integers(10, 12)
        ),
        max_size=10,
    )
)
def test_each_plan_walks_down_the_tree_through_all_of_its_steps(choices):
    plans = [plan(t, own, seed=seed, total_steps=total) for seed, t, own, total in choices]
    tree = prefix_tree(plans)
    for index, planned in enumerate(plans):
        mine = [node for level in tree.levels for node in level if index in node.plans]
        prompts = [node.segment.prompt for node in mine]
        assert prompts == [s.prompt for s in planned.segments for _ in range(s.steps)]
        assert [node.is_last for node in mine] == [False] * (len(mine) - 1) + [True]
        for before, node in pairwise(mine):
            assert tree.levels[before.step][node.parent] == before


@pytest.mark.parametrize(
    "other",
    [
        plan(5, "other", seed=2),
        plan(5, "other", total_steps=11),
        shared_then_personal(
            seed=1, public_prompt="public", own_prompt="other", shared_steps=5, total_steps=10,
            handoff=Handoff(), shared_guidance=2.0,
        ),
        DenoisingPlan(1, (Segment("edge", "another", "public", 10),)),
        DenoisingPlan(1, (Segment("edge", "tinyworld", "public", 10, depth=3),)),
    ],
)  # fmt: skip
def test_unequal_beginnings_share_nothing(other):
    tree = prefix_tree([plan(5), other])
    assert tree.steps == tree.unshared_steps


def test_an_equal_handoff_is_shared_but_bit_errors_are_each_plans_own():
    def branched_after_the_air(error_rate):
        ends = (Segment("phone", "tinyworld", prompt, 2) for prompt in "ab")
        start = Segment("edge", "tinyworld", "public", 3)
        middle = Segment("phone", "tinyworld", "own", 5)
        handoffs = (Handoff(8, error_rate),)
        return prefix_tree([DenoisingPlan(1, (start, middle, end), handoffs) for end in ends])

    assert branched_after_the_air(0.0).steps == 3 + 5 + 2 * 2
    assert branched_after_the_air(0.01).steps == 3 + 2 * 5 + 2 * 2


def test_no_plans_make_an_empty_tree():
    assert prefix_tree([]).steps == prefix_tree([]).unshared_steps == 0
