"""A load of judgments on a service whose provider misbehaves, and what became of every one."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import numpy as np

from qoe_service import AsyncQoEClient
from qoe_service.errors import Overloaded
from qoe_service.images import Picture
from qoe_service.items import make_item
from qoe_service.judges import Case, Deadline
from qoe_service.judges.build import build_ladder
from qoe_service.judges.questions import Asking, judge_prompt
from qoe_service.personas import Persona, Registry
from qoe_service.schemas import Judgment, ScoreReply, ScoreRequest, Status
from qoe_service.settings import Settings
from tests.fake_provider.bell import HIGHEST, LOWEST, level_probabilities
from tests.fake_provider.rule import score_of_sight
from tests.fake_provider.sight import measure
from tinyworld.captions import plain_caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import sample_scene

EXACT = 1e-4
"""The fake provider's probabilities have the rule's score as their exact mean; what is left is
that a score is kept in single precision (4e-7) and that chances travel as logarithms."""

HALF_PRECISION = 1e-3
"""An embedding is kept in half precision. In another batch a component may be rounded the other
way, by 2**-11 of itself: of 4,800 scores in shuffled batches of 1 to 64 none moved by over 3e-5."""

LATE = 1.05
"""An answer may come this many deadlines after the request."""


@dataclass(frozen=True)
class Load:
    """Pictures of tinyworld with the prompts that asked for them, and who judges."""

    cases: tuple[Case, ...]
    panel: tuple[Persona, ...]

    @property
    def judgments(self) -> int:
        return len(self.cases) * len(self.panel)

    def request(self, rows: Sequence[int], deadline_ms: int, **changes: object) -> ScoreRequest:
        """Items are called by their row and their place, so that order is seen."""
        items = tuple(
            make_item(
                self.cases[row].picture.pixels,
                self.cases[row].prompt,
                id=f"{row}/{place}",
                group_id=self.cases[row].group_id,
            )
            for place, row in enumerate(rows)
        )
        names = tuple(persona.id for persona in self.panel)
        return ScoreRequest(items=items, personas=names, deadline_ms=deadline_ms, **changes)


def draw_load(pictures: int, *, personas: int, seed: int) -> Load:
    """Pictures that differ, each with a prompt of its own kind."""
    rng = np.random.default_rng(seed)
    scenes = [sample_scene(rng) for _ in range(pictures)]
    cases = tuple(
        Case(Picture(np.asarray(draw_scene(scene, rng))), plain_caption(scene)) for scene in scenes
    )
    return Load(cases, Registry().all()[:personas])


class Truth:
    """What each tier has to say of a load: by the hidden rule, and by judges of its own."""

    def __init__(self, load: Load) -> None:
        self._by_rule = _by_rule(load)
        likeliest = np.vectorize(lambda score: 1 + np.argmax(level_probabilities(score)))
        self._likeliest = likeliest(self._by_rule)
        self._by_tier = _by_tier(load)

    def is_false(self, row: int, column: int, judgment: Judgment) -> bool:
        """Whether a score is not the one that this judge of this case and persona has to give."""
        assert judgment.score is not None
        match judgment.tier, judgment.extraction:
            case "vlm", "logprobs":
                right, tolerance = self._by_rule[row, column], EXACT
            case "vlm", "structured":
                right, tolerance = self._likeliest[row, column], EXACT
            case tier, _:
                right, tolerance = self._by_tier[tier][row, column], HALF_PRECISION
        return not abs(judgment.score - right) <= tolerance  # NaN is false too


def _by_rule(load: Load) -> np.ndarray:
    asking = Asking(judge_prompt("judge-image"))
    told = [asking.question(persona, wish="anything").system for persona in load.panel]
    sights = [measure(case.picture.pixels) for case in load.cases]
    scores = [
        [score_of_sight(sight, case.prompt, text) for text in told]
        for sight, case in zip(sights, load.cases, strict=True)
    ]
    return np.clip(scores, LOWEST, HIGHEST)


def _by_tier(load: Load) -> dict[str, np.ndarray]:
    ladder = build_ladder(Settings(tiers=("clip", "pixel"), cache=None, calibration=None))
    try:
        return {
            judge.tier: judge.opinions(load.cases, load.panel, Deadline()).scores
            for judge in ladder.judges
        }
    finally:
        ladder.close()


@dataclass(frozen=True)
class Exchange:
    """A request for the cases of these rows, what came of it, and how long that took."""

    rows: tuple[int, ...]
    deadline_s: float
    took_s: float
    outcome: ScoreReply | Overloaded


@dataclass
class Findings:
    """What a load came to, in numbers."""

    requests: int = 0
    late: int = 0
    refused: int = 0
    misplaced: int = 0
    untyped: int = 0
    false: list[str] = field(default_factory=list)
    statuses: Counter[Status] = field(default_factory=Counter)
    tiers: Counter[str | None] = field(default_factory=Counter)
    mixed_panels: int = 0
    took_s: list[float] = field(default_factory=list)

    @property
    def share_in_time(self) -> float:
        return 1 - self.late / self.requests

    def quantile_s(self, share: float) -> float:
        """How long so large a share of the requests took at most."""
        return float(np.quantile(self.took_s, share))


def findings(exchanges: Sequence[Exchange], load: Load, truth: Truth) -> Findings:
    """Look at every judgment of every reply."""
    found = Findings()
    for exchange in exchanges:
        found.requests += 1
        found.took_s.append(exchange.took_s)
        found.late += exchange.took_s > LATE * exchange.deadline_s
        if isinstance(exchange.outcome, Overloaded):
            found.refused += 1
        else:
            _look_at(exchange.outcome, exchange.rows, load, truth, found)
    return found


def _look_at(
    reply: ScoreReply, rows: Sequence[int], load: Load, truth: Truth, found: Findings
) -> None:
    asked = [f"{row}/{place}" for place, row in enumerate(rows)]
    found.misplaced += [result.id for result in reply.results] != asked
    names = [persona.id for persona in load.panel]
    for row, result in zip(rows, reply.results, strict=True):
        found.misplaced += [judgment.persona for judgment in result.judgments] != names
        found.mixed_panels += len({judgment.tier for judgment in result.judgments}) > 1
        for column, judgment in enumerate(result.judgments):
            found.statuses[judgment.status] += 1
            if judgment.status is not Status.OK:
                found.untyped += judgment.score is not None or not judgment.reason
                continue
            found.tiers[judgment.tier] += 1
            found.untyped += judgment.se is None or not (0 < judgment.se < math.inf)
            if truth.is_false(row, column, judgment):
                found.false.append(f"{result.id} {judgment}")


async def exchange_all(
    url: str,
    load: Load,
    requests: Sequence[Sequence[int]],
    *,
    concurrency: int,
    deadline_ms: int,
) -> list[Exchange]:
    """Send requests for the cases of these rows, so many at a time."""
    places = asyncio.Semaphore(concurrency)
    async with AsyncQoEClient(url, timeout_s=3 * deadline_ms / 1e3) as client:

        async def one(rows: Sequence[int]) -> Exchange:
            async with places:
                request = load.request(rows, deadline_ms)
                began_s = time.monotonic()
                outcome: ScoreReply | Overloaded
                try:
                    outcome = await client.score(request)
                except Overloaded as error:
                    outcome = error
                took_s = time.monotonic() - began_s
                return Exchange(tuple(rows), deadline_ms / 1e3, took_s, outcome)

        return list(await asyncio.gather(*(one(rows) for rows in requests)))


class Provider:
    """The fake provider in a process of its own, by its controls."""

    def __init__(self, url: str) -> None:
        self.url, self._root = url, url.removesuffix("/v1")

    def control(self, **orders: object) -> None:
        """As `tests.fake_provider.behaviour.Control` has them."""
        httpx.post(f"{self._root}/control", json=orders).raise_for_status()

    def traffic(self) -> dict[str, int | dict[str, int]]:
        """As `TrafficReport` has it."""
        found: dict[str, int | dict[str, int]] = httpx.get(f"{self._root}/control/traffic").json()
        return found

    @property
    def is_there(self) -> bool:
        """Whether it accepts connections."""
        try:
            self.traffic()
        except httpx.TransportError:
            return False
        return True


@contextmanager
def provider_process(*arguments: str) -> Iterator[Provider]:
    """`python -m tests.fake_provider` with these arguments."""
    command = [sys.executable, "-m", "tests.fake_provider", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Provider(process.stdout.readline().strip())
        finally:
            process.terminate()
