"""What several judges of one ladder share, each made when it is first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from qoe_service.settings import Settings

if TYPE_CHECKING:
    from qoe_service.cache import VectorCache
    from qoe_service.interview.stored import Interviews
    from qoe_service.judges.clip_calibration import ClipReading
    from qoe_service.judges.encoder import Encoder
    from qoe_service.judges.sights import Sights
    from qoe_service.provider.budget import Budget
    from qoe_service.provider.ledger import Ledger

LEDGER = "spending"
"""In the folder of the cache: what every run has spent, restarts and other processes included."""


class Parts:
    """The parts that settings describe. Judges may close what they share more than once.

    Raises:
        JudgeUnavailable: on first use, if the CLIP cannot be loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def cache(self) -> VectorCache:
        """Everything that models said."""
        from qoe_service.cache import VectorCache

        return VectorCache(
            self.settings.cache,
            size_limit=self.settings.cache_bytes,
            memory_entries=self.settings.cache_entries,
        )

    @cached_property
    def encoder(self) -> Encoder:
        """The CLIP."""
        from qoe_service.judges.encoder import load_encoder

        return load_encoder(self.settings.clip, self.settings.device)

    @cached_property
    def reading(self) -> ClipReading:
        """The CLIP with its calibration."""
        from qoe_service.judges.clip_calibration import ClipReading
        from qoe_service.judges.clip_space import clip_space
        from qoe_service.judges.reference import calibration_of

        space = clip_space(self.encoder)
        return ClipReading(space, calibration_of(self.encoder, space, self.settings.cache))

    @cached_property
    def sights(self) -> Sights:
        """What the CLIP sees, behind its cache."""
        from qoe_service.judges.sights import Sights

        return Sights(
            self.encoder,
            self.cache,
            max_batch=self.settings.batch_size,
            window_s=self.settings.batch_window_s,
        )

    @cached_property
    def budget(self) -> Budget:
        """What each run may spend on all tiers together."""
        from qoe_service.provider.budget import Budget

        return Budget(
            limit_tokens=self.settings.budget_tokens,
            limit_cost=self.settings.budget_cost,
            ledger=self.ledger,
        )

    @cached_property
    def free_budget(self) -> Budget:
        """For what must not be stopped by it, but is written down all the same."""
        from qoe_service.provider.budget import Budget

        return Budget(ledger=self.ledger)

    @cached_property
    def interviews(self) -> Interviews:
        """Whether judges play their personas, as far as they were asked."""
        from qoe_service.interview.stored import read_interviews

        return read_interviews(self.settings.interviews)

    @cached_property
    def ledger(self) -> Ledger:
        """Where spending is written down."""
        from qoe_service.provider.ledger import Ledger

        folder = self.settings.cache
        return Ledger(None if folder is None else folder / LEDGER)
