"""Asking a model that may be slow, busy, gone or wrong: what is asked, what comes back, what fails.

`retrying` asks again while there is time, `breaker` stops asking who does not answer, `concurrency`
keeps as many calls open as the other side bears, `single_flight` asks equal questions once,
`budget` stops when the money is spent. `chat` speaks to the model; `caller` puts them in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qoe_service.errors import QoEError


@dataclass(frozen=True)
class TokenChoice:
    """What a model might have said at one place: a token and the log of its probability."""

    token: str
    log_probability: float


@dataclass(frozen=True)
class Question:
    """One chat call. Equal questions have equal answers, as far as the model is deterministic.

    pictures: PNG files, shown after the text. schema: JSON schema that the answer must fit, for
    endpoints that give no probabilities. sample: which of several draws of one question.
    """

    system: str
    user: str
    pictures: tuple[bytes, ...] = ()
    schema: str | None = None
    sample: int = 0


@dataclass(frozen=True)
class Usage:
    """What a call costs in tokens."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class Answer:
    """What came back. `choices` are the alternatives of each token, empty without log-probs."""

    text: str
    choices: tuple[tuple[TokenChoice, ...], ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def usage(self) -> Usage:
        """What it cost."""
        return Usage(self.input_tokens, self.output_tokens)


class FailureKind(StrEnum):
    """Who is to blame, which decides whether to ask again and whether the breaker counts it."""

    BUSY = "busy"  # 429: ask again later; not the breaker's business
    BROKEN = "broken"  # 5xx, cut connection: ask again; the breaker counts it
    SLOW = "slow"  # no answer in time: ask again if there is time; the breaker counts it
    REJECTED = "rejected"  # any other 4xx: asking again changes nothing
    REFUSED = "refused"  # a content filter or the model itself declined: ask once more
    UNREADABLE = "unreadable"  # an answer no score can be read from: ask a few times more


class CallFailed(QoEError):
    """A call to a model gave no usable answer.

    retry_after_s: how long the other side asked to be left alone, if it did.
    usage: what the failed call cost all the same, if the other side said so.
    """

    def __init__(
        self,
        kind: FailureKind,
        reason: str,
        *,
        retry_after_s: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason
        self.retry_after_s, self.usage = retry_after_s, usage
