"""The scenario's arrays against `cost_of`, which walks the very plans the generator runs."""

import numpy as np
import pytest

from allocator.edge.cost import Air, cost_of
from allocator.edge.devices import load_profiles
from allocator.edge.link import UncodedLink
from allocator.edge.modulation import bit_error_rate
from allocator.scenarios.actions import Decision
from allocator.scenarios.physics import BANDWIDTH_HZ, MODULATION, PHONES


@pytest.fixture
def slot(scenario):
    rng = np.random.default_rng(3)
    scenario.reset(range(6))
    shape = (6, 3, 3)
    return Decision(rng.integers(0, 10, shape), rng.integers(0, 31, shape))


def group_costs(scenario, decision, row, group):
    """What `cost_of` says of one group, phones of one kind at a time."""
    profiles = load_profiles()
    catalogue, episodes = scenario.experience.catalogue, scenario.episodes
    power_dbm = scenario.physics.tx_power_dbm[decision.power[row, group]]
    plans = [
        catalogue.plan(int(prompt), int(episodes.seed[row, 0, group]), int(branch), 0)
        for prompt, branch in zip(
            episodes.prompt[row, 0, group], decision.branch[row, group], strict=True
        )
    ]
    air = Air(UncodedLink(MODULATION), 1.0, 1e-3 * 10 ** (power_dbm / 10), BANDWIDTH_HZ)
    return [
        cost_of(
            plans,
            devices={"edge": profiles.devices["edge"], "phone": profiles.devices[kind]},
            payload=profiles.payloads["stable_diffusion"],
            air=air,
        )
        for kind in PHONES
    ]


def of_own_kind(scenario, costs, row, group, site):
    kinds = scenario.episodes.phone[row, group]
    columns = [cost.sites.index(site) if site in cost.sites else None for cost in costs]
    return [
        0.0 if columns[kind] is None else costs[kind].joules[user, columns[kind]]
        for user, kind in enumerate(kinds)
    ]


def test_energy_is_that_of_the_plans(scenario, slot):
    joules = scenario.physics.joules(slot, scenario.episodes.phone, 10)
    for row in range(6):
        expected = 0.0
        for group in range(3):
            costs = group_costs(scenario, slot, row, group)
            expected += sum(of_own_kind(scenario, costs, row, group, "edge"))
            expected += sum(of_own_kind(scenario, costs, row, group, "phone"))
        assert joules[row] == pytest.approx(expected)


def test_latency_is_that_of_the_plans(scenario, slot):
    latency_s = scenario.physics.latency_s(slot, scenario.episodes.phone, 10)
    for group in range(3):
        costs = group_costs(scenario, slot, 0, group)
        kinds = scenario.episodes.phone[0, group]
        expected = [costs[kind].user_seconds[user] for user, kind in enumerate(kinds)]
        assert np.allclose(latency_s[0, group], expected)


def test_more_power_means_fewer_errors_and_more_joules(scenario):
    powers = np.arange(31)
    levels = scenario.error_level(np.full(31, -130.0), powers)
    assert (np.diff(levels) <= 0).all()
    assert levels[0] > levels[-1]
    assert (np.diff(scenario.physics.radio_j) > 0).all()


def test_a_known_error_rate_has_the_textbook_snr(scenario):
    """BPSK at 4 dB: Q(sqrt(2 x 10^0.4)) = 0.01250."""
    snr_db = scenario.physics.snr_db_of_bit_error_rate(np.array([0.0125009]))
    assert snr_db[0] == pytest.approx(4.0, abs=1e-4)


def test_the_error_level_is_the_nearest_to_the_links_bit_error_rate(scenario):
    powers = np.arange(31)
    gain_db = np.linspace(-150, -90, 400)[:, None]
    snr = 10 ** (scenario.physics.snr_db(gain_db, powers) / 10)
    nearest = scenario.experience.catalogue.error_level(bit_error_rate(MODULATION, snr))
    assert np.array_equal(scenario.error_level(gain_db, powers), nearest)
