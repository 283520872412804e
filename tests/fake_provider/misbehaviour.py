"""The ways in which a provider fails its clients, and how often each is to happen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np


class Misbehaviour(StrEnum):
    """One way for one call to go wrong.

    Gone altogether is none of them: `FakeProvider.stop` and `start`, or `gone_for_s` of a control.
    """

    # An error instead of an answer.
    BUSY = "busy"  # 429, without a word on when to come back
    BUSY_RETRY_AFTER = "busy-retry-after"  # 429 with Retry-After
    BROKEN = "broken"  # 500
    UNAVAILABLE = "unavailable"  # 503
    BAD_REQUEST = "bad-request"  # 400
    UNAUTHORISED = "unauthorised"  # 401
    # The right answer, delivered badly.
    HANG = "hang"  # not a byte until the client leaves
    DRIP = "drip"  # the body trickles, a byte at a time
    CUT = "cut"  # half of the announced body, then the connection is closed
    # A body that is no answer.
    TRUNCATED = "truncated"  # JSON that stops half way, in a reply that is whole
    WRONG_SCHEMA = "wrong-schema"  # JSON, but no chat completion
    HUGE = "huge"  # megabytes of prose
    # An answer without a usable opinion.
    REFUSAL = "refusal"  # message.refusal, no content
    FILTERED = "filtered"  # finish_reason content_filter, empty content
    EMPTY_CHOICES = "empty-choices"  # choices is []
    WRONG_LENGTH = "wrong-length"  # one choice fewer than n
    NO_LOGPROBS = "no-logprobs"  # logprobs is null although asked for
    LOW_MASS = "low-mass"  # a level as text, but the levels' probabilities sum to 0.1
    PROSE = "prose"  # sentences that name several levels, whatever the format asked for
    OUT_OF_RANGE = "out-of-range"  # 7 or -1


ERRORS = {
    Misbehaviour.BUSY: (429, "Rate limit reached", "requests", "rate_limit_exceeded"),
    Misbehaviour.BUSY_RETRY_AFTER: (429, "Rate limit reached", "requests", "rate_limit_exceeded"),
    Misbehaviour.BROKEN: (500, "The server had an error", "server_error", None),
    Misbehaviour.UNAVAILABLE: (503, "The engine is overloaded", "server_error", None),
    Misbehaviour.BAD_REQUEST: (400, "This request is not liked", "invalid_request_error", None),
    Misbehaviour.UNAUTHORISED: (
        401,
        "Incorrect API key",
        "invalid_request_error",
        "invalid_api_key",
    ),
}
"""Status, message, type and code of those that are errors."""


@dataclass(frozen=True)
class Mix:
    """The probability of each misbehaviour for a call; what is left of 1 is good behaviour."""

    shares: Mapping[Misbehaviour, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, share in self.shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"the share of {kind} must be within 0 and 1, got {share}")
        total = math.fsum(self.shares.values())
        if total > 1 + 1e-9:
            raise ValueError(f"the shares of a mix sum to {total:.3f}; they must not exceed 1")

    @classmethod
    def even(cls, failing: float, kinds: Iterable[Misbehaviour] = tuple(Misbehaviour)) -> Mix:
        """A share `failing` of all calls goes wrong, in each of these ways equally often."""
        chosen = tuple(kinds)
        return cls(dict.fromkeys(chosen, failing / len(chosen)))

    def draw(self, rng: np.random.Generator) -> Misbehaviour | None:
        """How the next call goes wrong; None if it does not."""
        at = rng.random()
        for kind, share in self.shares.items():
            at -= share
            if at < 0:
                return kind
        return None
