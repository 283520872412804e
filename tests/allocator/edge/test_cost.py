from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.diffusion.prefix_tree import prefix_tree
from allocator.edge.cost import Air, cost_of
from allocator.edge.devices import load_profiles
from allocator.edge.link import CodedLink, UncodedLink
from allocator.plan import DenoisingPlan, Handoff, PlanError, Segment, shared_then_personal

PROFILES = load_profiles()
PHONE, EDGE = PROFILES.devices["phone"], PROFILES.devices["edge"]
PAYLOAD = PROFILES.payloads["stable_diffusion"]
AIR = Air(UncodedLink(), snr=10.0, tx_power_w=0.2, bandwidth_hz=1e6)
SENT_S = 16_384 * 8 / 2e6  # QPSK
SENT_J = 0.2 * SENT_S / 0.25


def plan(shared_steps, own_prompt="own", *, total_steps=10, **changes):
    return shared_then_personal(
        seed=1, public_prompt="public", own_prompt=own_prompt, shared_steps=shared_steps,
        total_steps=total_steps, handoff=Handoff(8), **changes,
    )  # fmt: skip


def costs(plans, *, devices=PROFILES.devices, air=AIR):
    return cost_of(plans, devices=devices, payload=PAYLOAD, air=air)


def test_a_solo_user_pays_for_phone_edge_and_air():
    found = costs([plan(4)])
    assert found.sites == ("edge", "phone")
    at_phone_s = 6.8 + 6 * 4.94
    at_edge_s = 4 * (0.0275 + 0.0066)
    np.testing.assert_allclose(found.seconds, [[at_edge_s + SENT_S, at_phone_s]])
    np.testing.assert_allclose(found.joules, [[250 * at_edge_s + SENT_J, 4 * at_phone_s]])
    np.testing.assert_allclose(found.bits, [[131_072, 0]])
    np.testing.assert_allclose(found.busy_seconds, [at_edge_s, at_phone_s])
    np.testing.assert_allclose(found.user_seconds, at_edge_s + SENT_S + at_phone_s)


def test_a_group_splits_the_edge_equally_and_runs_its_phones_apart():
    alone, both = costs([plan(4, "a")]), costs([plan(4, "a"), plan(4, "a")])
    edge_j = alone.joules[0, 0] - SENT_J
    np.testing.assert_allclose(both.joules[:, 0], edge_j / 2 + SENT_J)
    np.testing.assert_allclose(both.joules[:, 1], alone.joules[0, 1])
    np.testing.assert_allclose(both.seconds, alone.seconds.repeat(2, axis=0))
    np.testing.assert_allclose(both.busy_seconds, alone.busy_seconds * [1, 2])


def test_groups_at_the_same_step_are_one_batch_for_which_all_wait():
    other = replace(plan(4), seed=2)
    together = costs([plan(4), other])
    batch_s = 4 * (0.0275 * 2 + 0.0066)
    np.testing.assert_allclose(together.seconds[:, 0], batch_s + SENT_S)
    np.testing.assert_allclose(together.busy_seconds[0], batch_s)


@given(users=st.integers(1, 10), total_steps=st.integers(1, 15), data=st.data())
def test_with_equal_step_costs_the_energy_saved_is_the_formula(users, total_steps, data):
    """(K-1) t / (K T), when a step costs the same everywhere and nothing else costs anything."""
    t = data.draw(st.integers(0, total_steps - 1))
    flat = {"seconds_per_picture_step": 1.0, "seconds_per_batch_step": 0.0,
            "seconds_per_picture": 0.0, "power_w": 3.0}  # fmt: skip
    devices = {"edge": EDGE.model_copy(update=flat), "phone": PHONE.model_copy(update=flat)}
    silent = replace(AIR, tx_power_w=0.0)
    group = [plan(t, f"user {k}", total_steps=total_steps) for k in range(users)]
    alone = [plan(0, f"user {k}", total_steps=total_steps) for k in range(users)]
    spent = costs(group, devices=devices, air=silent).site_joules.sum()
    unshared = costs(alone, devices=devices, air=silent).site_joules.sum()
    assert 1 - spent / unshared == pytest.approx((users - 1) * t / (users * total_steps))


@given(
    st.lists(
        st.tuples(st.integers(0, 10), st.sampled_from("abc"), st.integers(10, 11)),
        min_size=1,
        max_size=8,
    )
)
def test_no_joule_is_lost_or_counted_twice(choices):
    """What users are charged is what the devices draw, counted without any attribution."""
    plans = [plan(t, own, total_steps=total) for t, own, total in choices]
    found = costs(plans)
    tree = prefix_tree(plans)
    at_edge = [sum(node.segment.site == "edge" for node in level) for level in tree.levels]
    edge_j = 250.0 * sum(EDGE.step_seconds(width) for width in at_edge if width)
    phone_steps = [total - t for t, _, total in choices]
    phone_j = 4.0 * sum(4.94 * steps + 6.8 for steps in phone_steps if steps)
    handed = sum(0 < t < total for t, _, total in choices)
    delivered = sum(t == total for t, _, total in choices)
    radio_j = handed * SENT_J + delivered * 0.2 / 0.25 * 480_000 / 2e6
    assert found.site_joules.sum() == pytest.approx(edge_j + phone_j + radio_j)
    assert found.user_joules.sum() == pytest.approx(found.site_joules.sum())


def test_a_picture_finished_at_the_edge_is_delivered():
    np.testing.assert_allclose(costs([plan(10)]).bits, [[480_000]])


def test_a_latent_sent_up_is_paid_by_the_phone():
    up = (Segment("phone", "tinyworld", "a", 2), Segment("edge", "tinyworld", "a", 2))
    found = costs([DenoisingPlan(1, up, (Handoff(4),))])
    np.testing.assert_allclose(found.bits, [[4 * 16_384, 480_000]])
    assert found.sites == ("phone", "edge")


def test_each_user_has_a_channel_of_their_own():
    air = Air(CodedLink(), snr=np.array([30.0, 2.5, 0.0]), tx_power_w=0.2, bandwidth_hz=1e6)
    found = costs([plan(4, "a"), plan(4, "b"), plan(4, "c")], air=air)
    assert (np.diff(found.seconds[:, 0]) > 0).all()
    assert (np.diff(found.joules[:, 0]) > 0).all()
    np.testing.assert_allclose(found.loss_probability[[0, 2]], [0, 1], atol=1e-9)
    nothing_sent = costs([plan(0, "a"), plan(0, "b"), plan(0, "c")], air=air)
    np.testing.assert_array_equal(nothing_sent.loss_probability, 0)


@pytest.mark.parametrize(
    ("plans", "message"),
    [
        ([plan(3, shared_site="moon")], "site 'moon' has no device profile; known are edge"),
        ([DenoisingPlan(1, (Segment("edge", "m", "p", 2, depth=3),))], "got depth 3"),
        ([], "nothing to price"),
    ],
)
def test_what_has_no_price_is_refused(plans, message):
    with pytest.raises(PlanError, match=message):
        costs(plans)
