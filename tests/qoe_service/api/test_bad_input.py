"""Whatever comes over the wire: one bad item is null alone, and the service stays ready."""

from __future__ import annotations

import io
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from qoe_service.client import ProblemReply, QoEClient
from qoe_service.items import make_item
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.personas import Registry
from qoe_service.schemas import ScoreRequest, Status
from qoe_service.scoring import Scorer

GRADIENT = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8) * 2


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def rgb() -> Image.Image:
    return Image.fromarray(np.dstack([GRADIENT] * 3))


def header_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixel."""
    content = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + content + struct.pack(">I", zlib.crc32(content))
    return b"\x89PNG\r\n\x1a\n" + chunk


def animated() -> bytes:
    frames = [Image.new("RGB", (32, 32), color) for color in ("red", "green")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(rgb(), "JPEG", exif=exif)


UNFIT = {
    "not an image": b"GIF is not what this is",
    "empty": b"",
    "truncated": encoded(rgb())[:-200],
    "1x1": encoded(Image.new("RGB", (1, 1))),
    "20,000x20,000 by header": header_of(20_000, 20_000),
    "animated": animated(),
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' width='64' height='64'/>",
}
FIT = {
    "16-bit": encoded(Image.fromarray(GRADIENT.astype(np.uint16) * 257)),
    "CMYK": encoded(rgb().convert("CMYK"), "JPEG"),
    "alpha": encoded(rgb().convert("RGBA")),
    "palette": encoded(rgb().convert("P")),
    "EXIF-rotated": rotated(),
}


@pytest.fixture
def client(service_url):
    with QoEClient(service_url) as client:
        yield client
        assert client.readiness().status == "ready"


def among_good_ones(client: QoEClient, picture: bytes, prompt: str = "a slope"):
    good = encoded(rgb())
    items = [make_item(data, words, id=name) for name, data, words in (
        ("before", good, "a slope"), ("it", picture, prompt), ("after", good, "a slope"),
    )]  # fmt: skip
    before, it, after = client.score(ScoreRequest(items=tuple(items))).results
    assert [before.id, it.id, after.id] == ["before", "it", "after"]
    assert before.status is after.status is Status.OK
    assert before.reward == after.reward
    return it


@pytest.mark.parametrize("kind", UNFIT)
def test_an_unfit_picture_is_null_alone(client, kind):
    result = among_good_ones(client, UNFIT[kind])
    assert result.status is Status.BAD_IMAGE
    assert result.reward is None
    assert result.mos is None
    assert result.reason
    assert {judgment.status for judgment in result.judgments} == {Status.BAD_IMAGE}
    assert {judgment.score for judgment in result.judgments} == {None}


@pytest.mark.parametrize("kind", FIT)
def test_an_unusual_picture_is_judged(client, kind):
    result = among_good_ones(client, FIT[kind])
    assert result.status is Status.OK
    assert 0 <= result.reward <= 1


@pytest.mark.parametrize("prompt", ["", "   ", "word " * 2_000])
def test_an_unfit_prompt_is_null_alone(client, prompt):
    result = among_good_ones(client, encoded(rgb()), prompt)
    assert result.status is Status.BAD_PROMPT
    assert result.reward is None
    assert result.reason


def test_text_that_is_not_base64_is_null_alone(client):
    good = make_item(encoded(rgb()), "a slope", id="good")
    bad = good.model_copy(update={"id": "bad", "image": "http://example.org/a.png"})
    found = client.score(ScoreRequest(items=(bad, good))).results
    assert [result.status for result in found] == [Status.BAD_IMAGE, Status.OK]


def test_an_unknown_persona_is_null_alone(client):
    item = make_item(encoded(rgb()), "a slope", id="a")
    request = ScoreRequest(items=(item,), personas=("bo", "bob", "amelia"))
    (result,) = client.score(request).results
    assert [judgment.persona for judgment in result.judgments] == ["bo", "bob", "amelia"]
    statuses = [judgment.status for judgment in result.judgments]
    assert statuses == [Status.OK, Status.UNKNOWN_PERSONA, Status.OK]
    assert result.judgments[1].score is None
    assert result.mos.n == 2


def test_a_malformed_persona_file_disturbs_nobody(serve, settings, persona_folder, tmp_path):
    folder = shutil.copytree(persona_folder, tmp_path / "personas")
    with (
        Scorer(Ladder([PixelJudge()]), Registry(folder, interval_s=0)) as scorer,
        serve(scorer, settings) as url,
        QoEClient(url) as client,
    ):
        (folder / "dora.yaml").write_text("id: dora\ntraits: [1, 2\n")
        assert among_good_ones(client, encoded(rgb())).mos.n == 3
        (folder / "bo.yaml").write_text("id: bo\nname: Bo\nage: 3\n")
        assert among_good_ones(client, encoded(rgb())).mos.n == 3
        assert client.readiness().status == "ready"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ids": ("a", "a")}, "duplicate-id"),
        ({"panel": 99}, "panel-too-large"),
        ({"tier": "crystal-ball"}, "unknown-tier"),
        ({"ids": tuple(map(str, range(300)))}, "too-many-items"),
    ],
)
def test_a_request_that_is_wrong_as_a_whole_is_a_problem(client, change, code):
    names = change.pop("ids", ("a",))
    item = make_item(np.zeros((16, 16, 3), np.uint8), "a slope", id="?")
    items = tuple(item.model_copy(update={"id": name}) for name in names)
    with pytest.raises(ProblemReply) as problem:
        client.score(ScoreRequest(items=items, **change))
    assert problem.value.type.endswith(code)
    assert problem.value.status in {413, 422}


@pytest.mark.parametrize(
    ("pictures", "prompts"),
    [
        (np.zeros((2, 32, 32, 3), np.float32), ["a", "b"]),
        (np.zeros((2, 32, 32, 4), np.uint8), ["a", "b"]),
        (np.zeros((32, 32, 3), np.uint8), ["a"]),
        (np.zeros((2, 32, 32, 3), np.uint8), ["a"]),
    ],
)
def test_a_stack_that_is_wrong_is_a_problem(client, pictures, prompts):
    with pytest.raises(ProblemReply) as problem:
        client.rewards(pictures, prompts)
    assert problem.value.type.endswith("bad-stack")


def test_rewards_are_null_where_a_score_is(client):
    prompts = ["a slope", "", "a slope"]
    reply = client.rewards(np.stack([np.dstack([GRADIENT] * 3)] * 3), prompts, personas=["bo"])
    assert reply.statuses == (Status.OK, Status.BAD_PROMPT, Status.OK)
    assert reply.rewards[1] is None
    assert reply.by_persona[1] == (None,)
    assert reply.rewards[0] == reply.rewards[2] is not None
