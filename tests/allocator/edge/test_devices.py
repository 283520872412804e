from __future__ import annotations

import pytest
import yaml

from allocator.edge.devices import SHIPPED, ProfileError, load_profiles


def test_the_phone_takes_the_published_times():
    """Bars of the published figure: 8 steps 45.0 s, 20 steps 103.3 s (read to about 3 s)."""
    phone = load_profiles().devices["phone"]
    for steps, published_s in ((2, 17.9), (8, 45.0), (20, 103.3)):
        predicted_s = phone.seconds_per_picture + steps * phone.step_seconds(1)
        assert predicted_s == pytest.approx(published_s, abs=3.0)


def test_the_server_takes_the_published_times():
    """Totals by batch, 35 steps: 1.38, 4.25, 7.4, 15.7 and 23.4 s."""
    edge = load_profiles().devices["edge"]
    for batch, published_s in ((4, 4.25), (8, 7.4), (16, 15.7), (24, 23.4)):
        assert 35 * edge.step_seconds(batch) == pytest.approx(published_s, rel=0.08)


def test_a_batch_that_does_not_fit_is_cut():
    edge = load_profiles().devices["edge"]
    assert edge.step_seconds(25) == pytest.approx(edge.step_seconds(24) + edge.step_seconds(1))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda device: device.update(power_w=4.0), "needs a 'value' and a 'source'"),
        (lambda device: device["power_w"].update(source=""), "needs a 'value' and a 'source'"),
        (lambda device: device["power_w"].update(value=-1), "greater than 0"),
        (lambda device: device["power_w"].update(value=float("inf")), "finite"),
        (lambda device: device.update(colour="red"), "colour"),
        (lambda device: device.pop("shared"), "shared"),
    ],
)
def test_a_malformed_profile_is_refused_with_its_place(tmp_path, spoil, message):
    content = yaml.safe_load(SHIPPED.read_text())
    spoil(content["devices"]["phone"])
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(ProfileError, match=rf"(?s)mine\.yaml.*devices\.phone.*{message}"):
        load_profiles(file)
