"""Chat judges that ask the fake provider over real HTTP, impatiently."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from qoe_service.cache import VectorCache
from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Opinions
from qoe_service.judges.chat import ChatJudge
from qoe_service.judges.endpoint import Endpoint, Gates, ModelAt
from qoe_service.judges.perception import Perception, Shown
from qoe_service.judges.probe import Manner, manners
from qoe_service.judges.questions import Asking, judge_prompt
from qoe_service.personas import Persona, Registry
from qoe_service.provider.breaker import Breaker
from qoe_service.provider.budget import Budget
from qoe_service.provider.concurrency import Limiter
from qoe_service.provider.retrying import Retrying, RetryPolicy
from tests.fake_provider import FakeProvider, hidden_score

PANEL = Registry().all()[:3]
IN_TIME_MS = 20_000


def drawn_picture(seed: int) -> Picture:
    """Coarse blocks of colour, some bright, some dark, some noisy."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (8, 8, 3)) * rng.uniform(0.3, 1.0) + rng.uniform(0, 60)
    pixels = np.kron(blocks, np.ones((8, 8, 1))) + rng.normal(0, rng.uniform(0, 20), (64, 64, 3))
    return Picture(np.clip(pixels, 0, 255).astype(np.uint8))


def make_case(seed: int, wish: str | None = None, **changes: object) -> Case:
    return Case(drawn_picture(seed), wish or f"a dog in the park number {seed}", **changes)


@dataclass
class Setting:
    """A judge before it is built."""

    provider: FakeProvider
    cache: VectorCache = field(default_factory=lambda: VectorCache(None))
    budget: Budget = field(default_factory=Budget)
    candidates: tuple[Manner, ...] = manners()
    perception: Perception = field(default_factory=Shown)
    template: str = "judge-image"
    concurrency: int = 16
    failures: int = 1_000
    attempt_timeout_s: float = 5.0

    def build(self) -> ChatJudge:
        gates = Gates(
            self.budget,
            Breaker("the fake provider", failures=self.failures, open_s=0.2, patience_s=0.2),
            limiter=Limiter(start=self.concurrency, most=64),
            retrying=Retrying(RetryPolicy(first_pause_s=0.01, longest_pause_s=0.05)),
            attempt_timeout_s=self.attempt_timeout_s,
        )
        model = ModelAt(name="fake-vlm", base_url=self.provider.url)
        decodings = [manner.decoding for manner in self.candidates]
        return ChatJudge(
            "vlm",
            Endpoint(model, gates, decodings),
            perception=self.perception,
            template=judge_prompt(self.template),
            cache=self.cache,
            candidates=self.candidates,
            rest_s=0.1,
        )


@dataclass
class Judging:
    """A judge and the provider that it asks."""

    judge: ChatJudge
    provider: FakeProvider

    def opinions(
        self, *cases: Case, panel: tuple[Persona, ...] = PANEL, deadline_ms: int = IN_TIME_MS
    ) -> Opinions:
        return self.judge.opinions(cases, panel, Deadline.after_ms(deadline_ms))

    @cached_property
    def ready(self) -> Judging:
        """The same, once the judge knows how to ask and the provider has forgotten that."""
        self.judge.check()
        self.provider.forget_traffic()
        return self


def expected_score(case: Case, persona: Persona, template: str = "judge-image") -> float:
    """By the hidden rule, from what the judge was given rather than from what it sent."""
    told = Asking(judge_prompt(template)).question(persona, wish="anything").system
    return hidden_score(
        case.picture.pixels, case.prompt, told, case.delay_s, patience_s=persona.patience_s
    )


def expected_scores(*cases: Case, template: str = "judge-image") -> np.ndarray:
    return np.array([[expected_score(case, who, template) for who in PANEL] for case in cases])
