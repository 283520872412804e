"""A server whose persona files are rewritten all the time answers everything, and consistently."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from qoe_service.items import make_item
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.persona import Persona
from qoe_service.persona_files import load_persona, parse_persona
from qoe_service.personas import Registry
from qoe_service.schemas import ScoreReply, ScoreRequest
from qoe_service.scoring import Scorer

ASKERS = 4
REQUESTS_EACH, MOST_REQUESTS_EACH = 25, 2_000
REWRITES = 30

# The traits stand last, so that no beginning of the file is a persona.
TEXT = """\
id: {id}
name: Somebody
norm: sapa-bfi25-adults
include: [fragments/shared.yaml]
about: Version {version}, and again version {version}.
traits: {{openness: {version}, conscientiousness: 0, extraversion: 0, agreeableness: 0,
  neuroticism: 0}}
"""
VERSIONS = (1, 2, 3)


def atomically(path: Path, text: str) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.write_text(text)
    os.replace(fresh, path)


def in_pieces(path: Path, text: str) -> None:
    with path.open("w") as file:
        for piece in (text[:40], text[40:150], text[150:]):
            file.write(piece)
            file.flush()


WAYS: dict[str, Callable[[Path, str], None]] = {
    "atomic": atomically,
    "pieces": in_pieces,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fragments").mkdir()
    (tmp_path / "fragments" / "shared.yaml").write_text("patience_s: 1\n")
    for name in WAYS:
        (tmp_path / f"{name}.yaml").write_text(TEXT.format(id=name, version=1))
    return tmp_path


def rewriting(folder: Path, stop: threading.Event) -> Iterator[None]:
    """Every file in its way, and the fragment, over and over; the last version at the end."""
    versions = cycle(VERSIONS)
    for done in range(10**9):
        last = stop.is_set() and done >= REWRITES
        version = VERSIONS[-1] if last else next(versions)
        for name, write in WAYS.items():
            write(folder / f"{name}.yaml", TEXT.format(id=name, version=version))
        in_pieces(folder / "fragments" / "shared.yaml", f"patience_s: {version}\n")
        if last:
            return
        yield


def whole(persona: Persona) -> bool:
    """Whether a persona is one version of its file and one of its fragment, and no mixture."""
    text = TEXT.format(id=persona.id, version=int(persona.traits.openness))
    alone = parse_persona(text.replace("include: [fragments/shared.yaml]\n", ""), source="test")
    same = alone.model_copy(update={"patience_s": persona.patience_s})
    return same == persona and persona.patience_s in VERSIONS


def score(http: httpx.Client, body: str) -> None:
    reply = http.post("/v1/score", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 200
    results = ScoreReply.model_validate_json(reply.content).results
    panels = [[(j.persona, j.provenance.persona) for j in r.judgments] for r in results]
    assert [name for name, _ in panels[0]] == sorted(WAYS)
    assert panels.count(panels[0]) == len(panels)
    assert {j.status.value for r in results for j in r.judgments} == {"ok"}


def versions_listed(http: httpx.Client) -> set[int]:
    reply = http.get("/v1/personas")
    assert reply.status_code == 200
    found = [Persona.model_validate(each) for each in reply.json()]
    assert [persona.id for persona in found] == sorted(WAYS)
    assert all(map(whole, found))
    return {int(persona.traits.openness) for persona in found}


def test_no_request_is_dropped_while_files_are_rewritten(folder, serve, settings, png_bytes):
    item = make_item(png_bytes, "a slope", id="a")
    items = tuple(item.model_copy(update={"id": name}) for name in "abc")
    body = ScoreRequest(items=items).model_dump_json()
    stop = threading.Event()

    def ask(url: str) -> set[int]:
        seen = set()
        with httpx.Client(base_url=url, timeout=30) as http:
            for asked in range(MOST_REQUESTS_EACH):
                score(http, body)
                seen |= versions_listed(http)
                if asked >= REQUESTS_EACH and len(seen) > 1:
                    break
        return seen

    with (
        Scorer(Ladder([PixelJudge()]), Registry(folder, interval_s=0.01)) as scorer,
        serve(scorer, settings) as url,
        ThreadPoolExecutor(ASKERS + 1) as threads,
    ):
        writing = threads.submit(lambda: [stop.wait(0.02) for _ in rewriting(folder, stop)])
        asking = [threads.submit(ask, url) for _ in range(ASKERS)]
        try:
            seen = set().union(*(each.result(60) for each in asking))
        finally:
            stop.set()
            writing.result(60)
        written = tuple(load_persona(folder / f"{name}.yaml") for name in sorted(WAYS))
        with httpx.Client(base_url=url) as http:
            for _ in range(MOST_REQUESTS_EACH):
                versions_listed(http)
                if scorer.personas() == written:
                    break
        assert scorer.personas() == written
    assert len(seen) > 1
