from __future__ import annotations

import numpy as np
import pytest

from allocator.edge.link import CodedLink, UncodedLink
from allocator.edge.modulation import Modulation, bit_error_rate

AIR = {"tx_power_w": 0.2, "bandwidth_hz": 1e6}


def test_an_uncoded_link_pays_in_bit_errors():
    """131,072 bits as QPSK over 1 MHz: 65.5 ms, whatever the channel; 0.2 W for that long."""
    sent = UncodedLink(Modulation.QPSK).transfer(131_072, snr=np.array([1.0, 10.0]), **AIR)
    np.testing.assert_allclose(sent.seconds, 0.065536)
    np.testing.assert_allclose(sent.joules, 0.2 * 0.065536)
    np.testing.assert_allclose(sent.bit_error_rate, bit_error_rate(Modulation.QPSK, [1.0, 10.0]))
    assert (sent.loss_probability == 0).all()


def test_a_coded_link_pays_in_seconds_and_joules():
    sent = CodedLink().transfer(131_072, snr=np.array([2.6, 3.2, 30.0]), **AIR)
    assert (np.diff(sent.seconds) < 0).all()
    assert (np.diff(sent.joules) < 0).all()
    assert (np.diff(sent.loss_probability) < 0).all()
    assert (sent.bit_error_rate == 0).all()
    assert sent.seconds[-1] == pytest.approx(131_072 / 2e6)


def test_expected_repetitions_and_loss_are_those_of_a_played_out_protocol():
    link = CodedLink(most_attempts=3)
    snr, blocks, runs = 3.0, 8, 20_000
    sent = link.transfer(blocks * link.block_bits, snr=snr, **AIR)
    rng = np.random.default_rng(4)
    failures = rng.random((runs, blocks, 3)) < link.block_loss(snr)
    tried = 1 + failures[..., 0] + failures[..., 0] * failures[..., 1]
    lost = failures.all(axis=-1).any(axis=-1)
    block_seconds = link.block_bits / (1e6 * link.spectral_efficiency)
    assert 0.1 < sent.loss_probability < 0.9
    assert sent.seconds == pytest.approx(tried.sum(axis=1).mean() * block_seconds, rel=0.01)
    assert sent.loss_probability == pytest.approx(lost.mean(), abs=0.015)


def test_a_dead_channel_uses_up_all_attempts_and_loses_the_payload():
    sent = CodedLink(most_attempts=4).transfer(10_240, snr=np.zeros(5), **AIR)
    np.testing.assert_allclose(sent.bits, 4 * 10_240)
    assert not sent.arrives(np.random.default_rng(0)).any()


def test_block_loss_is_one_half_at_capacity_and_steeper_for_longer_blocks():
    for block_bits in (256, 4096):
        assert CodedLink(2.0, block_bits).block_loss(3.0) == pytest.approx(0.5)
    assert CodedLink(2.0, 4096).block_loss(4.0) < CodedLink(2.0, 256).block_loss(4.0)


@pytest.mark.parametrize("link", [UncodedLink(), CodedLink()])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"snr": -1.0}, "snr must be finite and 0 or more"),
        ({"tx_power_w": float("nan")}, "tx_power_w must be finite"),
        ({"bandwidth_hz": 0.0}, "bandwidth_hz must be above 0"),
    ],
)
def test_impossible_channels_are_refused(link, change, message):
    with pytest.raises(ValueError, match=message):
        link.transfer(1000, **({"snr": 1.0, **AIR} | change))


def test_an_impossible_coded_link_is_refused():
    with pytest.raises(ValueError, match="most_attempts must be above 0, got 0"):
        CodedLink(most_attempts=0)
