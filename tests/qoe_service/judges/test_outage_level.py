"""From a calibration to an outage and back: the level of rewards does not jump.

The fake VLM is shown pictures of the night, which it likes much less than the CLIP does, some of
them blurred, which neither likes.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageFilter
from typer.testing import CliRunner

from qoe_service import Scorer
from qoe_service.cli import app
from qoe_service.items import make_item
from qoe_service.judges import endpoint
from qoe_service.judges.tier_map import TierMap
from qoe_service.judges.tier_map_file import read_tier_maps
from qoe_service.provider.breaker import Breaker
from qoe_service.schemas import Item, ScoreReply, ScoreRequest
from qoe_service.settings import Settings
from tests.fake_provider import Behaviour, FakeProvider
from tinyworld.captions import plain_caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import Scene, sample_scene

CALIBRATED_ON, HELD_OUT = 80, 40


def nights(count: int, seed: int) -> Iterator[tuple[Image.Image, str]]:
    """Pictures that show what was asked for, blurred to one of four degrees."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        drawn = sample_scene(rng)
        scene = Scene(**{**vars(drawn), "time": "night"})
        blur = ImageFilter.GaussianBlur(0.7 * int(rng.integers(4)))
        yield draw_scene(scene, rng).filter(blur), plain_caption(scene)


def write_items(folder: Path) -> Path:
    with (folder / "items.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "prompt"])
        for number, (image, prompt) in enumerate(nights(CALIBRATED_ON, seed=0)):
            image.save(folder / f"{number}.png")
            rows.writerow([f"{number}.png", prompt])
    return folder / "items.csv"


@pytest.fixture(scope="module")
def held_out() -> list[Item]:
    return [
        make_item(image, prompt, id=str(number))
        for number, (image, prompt) in enumerate(nights(HELD_OUT, seed=1))
    ]


@pytest.fixture(scope="module")
def named(
    running_provider: FakeProvider, persona_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, object]:
    """Settings that all of these tests share, with what is in their cache."""
    running_provider.start()  # whatever the tests before these did with it
    running_provider.behave(**Behaviour().model_dump())
    running_provider.script()
    folder = tmp_path_factory.mktemp("service")
    return {
        "tiers": ("vlm", "clip", "pixel"),
        "vlm_model": "fake-vlm",
        "vlm_base_url": running_provider.url,
        "cache": folder / "cache",
        "calibration": folder / "maps.json",
        "personas": persona_folder,
    }


@pytest.fixture(scope="module")
def calibrated(
    named: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    """`qoe judges calibrate` has been run."""
    file = write_items(tmp_path_factory.mktemp("items"))
    environment = {f"QOE_{name.upper()}": str(value) for name, value in named.items()}
    shown = CliRunner().invoke(
        app,
        ["judges", "calibrate", "--items", str(file), "--json"],
        env=environment | {"QOE_TIERS": "vlm,clip,pixel"},
    )
    assert shown.exit_code == 0, shown.output
    stored = read_tier_maps(named["calibration"]).maps
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    return SimpleNamespace(shown=lines, maps=stored, clip=stored[0].tier_map)


@pytest.fixture
def open_scorer(
    provider: FakeProvider, named: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Scorer]]:
    """`open_scorer(**changes of the settings)`; what was opened is closed afterwards."""
    monkeypatch.setattr(endpoint, "Breaker", partial(Breaker, open_s=0.2))
    opened: list[Scorer] = []

    def build(**changes: object) -> Scorer:
        opened.append(Scorer.from_settings(Settings(**(named | changes))))
        return opened[-1]

    yield build
    for scorer in opened:
        scorer.close()


def score(scorer: Scorer, items: list[Item], tier: str | None = None) -> ScoreReply:
    return scorer.score(ScoreRequest(items=tuple(items), tier=tier))


def table(reply: ScoreReply, number: str) -> np.ndarray:
    """One number of every judgment, (items, personas)."""
    return np.array([[getattr(j, number) for j in r.judgments] for r in reply.results])


def tiers(reply: ScoreReply) -> set[str]:
    return {judgment.tier for result in reply.results for judgment in result.judgments}


def once_it_is_back(scorer: Scorer, items: list[Item]) -> ScoreReply:
    until_s = time.monotonic() + 20
    while tiers(score(scorer, items[:1])) != {"vlm"}:
        assert time.monotonic() < until_s, "the VLM did not come back"
        time.sleep(0.1)
    return score(scorer, items)


def level_may_differ_by(tier_map: TierMap) -> float:
    """Three standard errors of the mean reward's difference on the held-out pictures.

    A picture's mean opinion errs by no more than its opinions do (Jensen), the pictures err
    independently, and the map's own level is known to `level_se`.
    """
    squared = tier_map.residual_sd**2 / HELD_OUT + tier_map.level_se**2
    return 3 * float(np.sqrt(squared)) / 4


def test_the_level_of_rewards_survives_an_outage(
    calibrated: SimpleNamespace,
    open_scorer: Callable[..., Scorer],
    provider: FakeProvider,
    held_out: list[Item],
) -> None:
    scorer, plain = open_scorer(), open_scorer(calibration=None)
    warm = held_out[0].model_copy(update={"prompt": "warm up"})
    assert tiers(score(scorer, [warm])) == tiers(score(plain, [warm])) == {"vlm"}

    provider.stop()
    away, jumped = score(scorer, held_out), score(plain, held_out)
    provider.start()
    own = once_it_is_back(scorer, held_out)

    assert tiers(away) == tiers(jumped) == {"clip"}
    assert tiers(own) == {"vlm"}
    bound = level_may_differ_by(calibrated.clip)
    level = {name: table(reply, "reward").mean() for name, reply in
             {"own": own, "away": away, "jumped": jumped}.items()}  # fmt: skip
    assert abs(level["away"] - level["own"]) < bound < 0.1
    assert abs(level["jumped"] - level["own"]) > 3 * bound  # as it would without the map

    # What the caches hold is on CLIP's own scale: the same numbers, mapped on their way out.
    found, theirs = calibrated.clip, table(jumped, "score")
    assert np.array_equal(table(away, "score"), found.scores(theirs))
    assert np.array_equal(table(away, "se"), found.errors(theirs, table(jumped, "se")))
    assert table(away, "se").min() >= found.residual_sd > 0.1
    assert np.array_equal(table(own, "score"), table(score(plain, held_out, "vlm"), "score"))

    judgments = [result.judgments[0] for result in (away.results[0], jumped.results[0])]
    assert judgments[0].provenance.calibration == found.name
    assert judgments[0].provenance.judge == "tinyworld-clip"
    assert "own scale" not in judgments[0].reason
    assert judgments[1].provenance.calibration == calibrated.maps[0].lower.calibration
    assert judgments[1].reason.endswith(
        "on clip's own scale: not calibrated to vlm; `qoe judges calibrate`"
    )
    assert own.results[0].judgments[0].provenance.calibration is None


def test_a_forced_tier_is_told_on_the_one_scale(
    calibrated: SimpleNamespace, open_scorer: Callable[..., Scorer], held_out: list[Item]
) -> None:
    scorer, plain = open_scorer(), open_scorer(calibration=None)
    for stored in calibrated.maps:
        tier = stored.lower.tier
        mapped, theirs = score(scorer, held_out, tier), score(plain, held_out, tier)
        assert np.array_equal(
            table(mapped, "score"), stored.tier_map.scores(table(theirs, "score"))
        )
        assert mapped.results[0].judgments[0].provenance.calibration == stored.tier_map.name


def test_the_maps_tell_what_they_are_for(calibrated: SimpleNamespace) -> None:
    assert [(m.primary.tier, m.lower.tier) for m in calibrated.maps] == [
        ("vlm", "clip"),
        ("vlm", "pixel"),
    ]
    primary = calibrated.maps[0].primary
    assert (primary.name, primary.samples) == ("fake-vlm", None)  # it has probabilities
    assert primary.prompt.startswith("judge-image@")
    assert calibrated.maps[0].items == "items.csv"
    assert (calibrated.clip.pairs, calibrated.clip.pictures) == (3 * CALIBRATED_ON, CALIBRATED_ON)
    for shown, stored in zip(calibrated.shown, calibrated.maps, strict=True):
        assert shown["tier_map"] == json.loads(stored.tier_map.model_dump_json())
        assert (shown["left_out"], shown["refused"]) == (0, None)


def test_a_map_for_another_model_is_left_alone_and_that_is_seen(
    calibrated: SimpleNamespace, open_scorer: Callable[..., Scorer], held_out: list[Item]
) -> None:
    other, plain = open_scorer(vlm_model="another-vlm"), open_scorer(calibration=None)
    theirs = table(score(plain, held_out, "clip"), "score")
    assert np.array_equal(table(score(other, held_out, "clip"), "score"), theirs)
    scales = {info.tier: info.own_scale for info in other.judges()}
    stale = "its calibration is stale: the name of vlm was 'fake-vlm' and is 'another-vlm'"
    assert scales["vlm"] is None
    assert scales["clip"] == scales["pixel"] == f"{stale}; `qoe judges calibrate`"
    assert {info.own_scale for info in open_scorer().judges()} == {None}
