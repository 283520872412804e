"""A learner's run over HTTP, with a model that misbehaves and goes away; then without any model."""

from __future__ import annotations

import base64
import errno
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import orjson
import pytest

from qoe_service import QoEClient, Scorer
from qoe_service.client import ProblemReply
from qoe_service.images import Picture
from qoe_service.judges.perception import png
from qoe_service.personas import Registry
from qoe_service.records.run_file import path_of, read
from qoe_service.schemas import Context, Item, RewardsReply, ScoreReply, ScoreRequest, Status
from qoe_service.settings import Settings
from tests.fake_provider import FakeProvider, Misbehaviour, Mix
from tinyworld.clip import WEIGHTS
from tinyworld.drawing import draw_scene
from tinyworld.scenes import sample_scene

PEOPLE = tuple(persona.id for persona in Registry().all()[:3])
WISH = "a dog in the park"
BATCH = 6
MISBEHAVIOUR = (
    Misbehaviour.BUSY,
    Misbehaviour.BROKEN,
    Misbehaviour.CUT,
    Misbehaviour.TRUNCATED,
    Misbehaviour.REFUSAL,
    Misbehaviour.LOW_MASS,
)


def pictures(seed: int) -> list[Picture]:
    """Such as tinyworld's CLIP knows."""
    rng = np.random.default_rng(seed)
    return [Picture(np.asarray(draw_scene(sample_scene(rng), rng))) for _ in range(BATCH)]


def item(name: str, picture: Picture, **changes: object) -> Item:
    image = base64.b64encode(png(picture)).decode()
    return Item(id=name, image=image, prompt=WISH, **changes)


class Learner:
    """Asks what a learner asks, always the same, and keeps all that it is told but the price."""

    def __init__(self, client: QoEClient) -> None:
        self._client = client
        self.heard: list[dict[str, object]] = []
        self.provider_calls = self.tokens = 0

    def while_the_model_misbehaves(self) -> None:
        for seed in (1, 2, 1):
            self.rewards(seed)
        self.score(1)

    def while_the_model_is_gone(self) -> None:
        for seed in (2, 3):
            self.rewards(seed)
        self.score(3)
        self.rewards(1, tier="clip")
        self.rewards(4, tier="vlm")

    def when_the_model_is_back(self) -> None:
        self.rewards(3)

    def rewards(self, seed: int, **changes: object) -> None:
        stack = np.stack([picture.pixels for picture in pictures(seed)])
        wishes = [WISH] * (BATCH - 1) + ["something baroque"]
        asked = {"personas": PEOPLE, "run_id": "a run", "deadline_ms": 4_000, **changes}
        self._keep(self._client.rewards(stack, wishes, **asked))

    def score(self, seed: int) -> None:
        first, second, third, *_ = pictures(seed)
        strange = Picture(first.pixels[:32])  # tinyworld's CLIP knows no such format
        items = (
            item("a", first, group_id="g"),
            item("b", second, group_id="g", context=Context(delay_s=9.5)),
            item("a again", first),
            item("c", third),
            item("strange", strange, group_id="h"),
            Item(id="no picture", image="AAAA", prompt=WISH),
        )
        request = ScoreRequest(
            items=items, personas=(*PEOPLE, "nobody"), run_id="a run", deadline_ms=4_000
        )
        self._keep(self._client.score(request))

    def _keep(self, reply: RewardsReply | ScoreReply) -> None:
        self.provider_calls += reply.usage.provider_calls
        self.tokens += reply.usage.tokens
        said = orjson.loads(reply.model_dump_json())
        del said["usage"]["provider_calls"], said["usage"]["tokens"]
        self.heard.append(said)

    @property
    def tiers(self) -> set[str | None]:
        return {
            judgment["tier"]
            for reply in self.heard
            for result in reply.get("results", ())
            for judgment in result["judgments"]
        }

    @property
    def statuses(self) -> set[str]:
        return {status for reply in self.heard for status in reply.get("statuses", ())}


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(seed=4)


@pytest.fixture
def unplug(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`unplug(url)`: from now on nothing but this can be reached."""

    def unplug(url: str) -> None:
        really_connect, port = socket.socket.connect, httpx.URL(url).port

        def connect(self: socket.socket, address: tuple[str, int]) -> None:
            if address[1] != port:
                raise OSError(errno.ENETUNREACH, f"networking is off, {address} was wanted")
            really_connect(self, address)

        monkeypatch.setattr(socket.socket, "connect", connect)

    return unplug


@pytest.mark.skipif(
    not (WEIGHTS / "clip.safetensors").is_file(), reason="tinyworld's CLIP is not trained yet"
)
def test_a_run_is_replayed_without_any_judge(
    provider: FakeProvider, tmp_path: Path, serve, unplug: Callable[[str], None]
) -> None:
    records = tmp_path / "records"
    with provider:
        recording = Settings(
            tiers=("vlm", "clip", "pixel"),
            vlm_model="fake-vlm",
            vlm_base_url=provider.url,
            cache=tmp_path / "cache",
            record=records,
        )
        with (
            Scorer.from_settings(recording) as scorer,
            serve(scorer, recording) as url,
            QoEClient(url) as client,
        ):
            live = Learner(client)
            provider.behave(mix=Mix.even(0.3, MISBEHAVIOUR))
            live.while_the_model_misbehaves()
            provider.stop()
            live.while_the_model_is_gone()
            provider.start()
            live.when_the_model_is_back()

    replaying = Settings(replay=records, cache=None)
    with (
        Scorer.from_settings(replaying) as scorer,
        serve(scorer, replaying) as url,
        QoEClient(url) as client,
    ):
        unplug(url)
        again = Learner(client)
        again.while_the_model_misbehaves()
        again.while_the_model_is_gone()
        again.when_the_model_is_back()
        assert client.readiness().status == "ready"
        with pytest.raises(ProblemReply, match="restart the service") as problem:
            again.rewards(1)

    assert again.heard == live.heard
    assert live.provider_calls > 0
    assert (again.provider_calls, again.tokens) == (0, 0)
    assert problem.value.status == 409
    assert problem.value.type == "urn:persona-qoe:problem:no-record"
    # And the run was one worth replaying: tiers, failures, and a second look that differs.
    assert live.heard[0] != live.heard[2]
    assert live.tiers >= {"vlm", "clip", "pixel", None}
    assert live.statuses > {Status.OK}


def test_a_damaged_record_is_a_problem_that_names_the_line(
    tmp_path: Path, serve, png_bytes: bytes
) -> None:
    shown = Item(id="a", image=base64.b64encode(png_bytes).decode(), prompt=WISH)
    request = ScoreRequest(items=(shown,), personas=PEOPLE)
    with Scorer.from_settings(Settings(tiers=("pixel",), record=tmp_path)) as scorer:
        scorer.score(request)
    path = path_of(tmp_path, "unnamed")
    assert len(read(path).answered) == 1
    path.write_bytes(path.read_bytes().replace(b'"cached":', b'"cashed":'))
    replaying = Settings(replay=tmp_path)
    with (
        Scorer.from_settings(replaying) as scorer,
        serve(scorer, replaying) as url,
        QoEClient(url) as client,
        pytest.raises(ProblemReply, match=f"{path.name}:2 is damaged") as problem,
    ):
        client.score(request)
    assert problem.value.status == 500
