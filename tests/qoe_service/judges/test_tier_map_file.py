"""The file of tier maps: written whole, read strictly, kept for other judges."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qoe_service.judges.build import build_ladder
from qoe_service.judges.tier_map_file import (
    JudgeIdentity,
    StoredMap,
    TierMapFileError,
    TierMaps,
    read_tier_maps,
    store_tier_maps,
)
from qoe_service.settings import Settings
from tests.qoe_service.judges.test_calibrated import tier_map


def identity(tier: str, name: str = "it", samples: int | None = None) -> JudgeIdentity:
    return JudgeIdentity(
        tier=tier, name=name, revision="1", prompt=None, calibration=None, samples=samples
    )


def stored(primary: str = "gpt", shift: float = 1.0, samples: int | None = None) -> StoredMap:
    return StoredMap(
        primary=identity("vlm", primary, samples),
        lower=identity("clip"),
        items="drawn",
        tier_map=tier_map(shift=shift),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "maps.json"


def test_what_is_stored_is_read_bit_for_bit(path: Path) -> None:
    assert read_tier_maps(path) == TierMaps() == read_tier_maps(None)
    odd = stored(shift=0.1 + 0.2)
    store_tier_maps(path, [odd])
    assert read_tier_maps(path).maps == (odd,)
    assert os.listdir(path.parent) == [path.name]


def test_a_map_replaces_the_one_for_the_same_judges_only(path: Path) -> None:
    store_tier_maps(path, [stored("gpt"), stored("qwen")])
    store_tier_maps(path, [stored("gpt", shift=2.0)])
    found = read_tier_maps(path)
    assert len(found.maps) == 2
    assert found.between(identity("vlm", "gpt"), identity("clip")) == tier_map(shift=2.0)
    assert found.between(identity("vlm", "qwen"), identity("clip")) == tier_map()
    assert isinstance(found.between(identity("vlm", "gpt"), identity("pixel")), str)


def test_one_number_of_samples_replaces_none_but_its_own(path: Path) -> None:
    store_tier_maps(path, [stored(samples=1), stored(samples=5, shift=2.0)])
    found = read_tier_maps(path)
    assert found.between(identity("vlm", "gpt", 1), identity("clip")) == tier_map()
    assert found.between(identity("vlm", "gpt", 5), identity("clip")) == tier_map(shift=2.0)
    store_tier_maps(path, [stored(samples=None)])  # it has probabilities now
    assert len(read_tier_maps(path).maps) == 1


def right_text() -> str:
    return TierMaps(maps=(stored(),)).model_dump_json()


@pytest.mark.parametrize(
    "text",
    [
        "",
        right_text()[:-9],
        "\x00",
        "[]",
        right_text().replace('"version":1', '"version":2'),
        right_text().replace('"residual_sd":0.3', '"residual_sd":-1'),
        right_text().replace('"knots":[1.0', '"knots":[9.0'),
        right_text().replace('"name":"it"', '"nome":"it"'),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(TierMapFileError, match=r"maps\.json is damaged .*qoe judges calibrate"):
        read_tier_maps(path)
    with pytest.raises(TierMapFileError):
        build_ladder(Settings(tiers=("pixel",), cache=None, calibration=path))
    with pytest.raises(TierMapFileError):
        store_tier_maps(path, [stored()])
    assert path.read_text() == text


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(TierMapFileError, match=str(tmp_path)):
        read_tier_maps(tmp_path)


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_tier_maps(path, [stored()])

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        store_tier_maps(path, [stored("qwen")])
    assert len(read_tier_maps(path).maps) == 1
    assert os.listdir(path.parent) == [path.name]
